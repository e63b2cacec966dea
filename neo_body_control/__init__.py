"""The body's controller: state estimation, whole-body QP, tensions, safety state machine."""
