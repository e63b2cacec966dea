"""PushT of stable-worldmodel: our way of modelling a world beside torch-world's LeWM, frame for frame.

    world    the environment, its pictures, its changed looks
    data     WeakPolicy's episodes, windows to train on, held-out pairs
    model    ours        peer    torch-world's LeWM, with the same three methods
    train    either of them, for so many CPU-minutes
    plan     cross-entropy search in a model's states
    trial    pairs tried by a model, by chance, by the actions that were taken

Only ``world`` and ``peer`` import what the other packages do not need; ``neo bench pusht`` runs :mod:`run` in
an environment that has it.
"""
