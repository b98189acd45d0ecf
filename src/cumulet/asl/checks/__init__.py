"""Static checks of a state machine definition, piece by piece; `cumulet.asl.check` is the door."""
