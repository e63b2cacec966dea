"""From a prompt to commands: the sentence, the plan, and the skills that carry it out."""
