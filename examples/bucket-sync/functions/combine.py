"""Makes one object of a list of objects: the branches of a Parallel state answer with a list."""


def handler(event, context):
    return {key: value for part in event for key, value in part.items()}
