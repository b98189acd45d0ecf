"""Halves the size of the pages after a page took too long: N -> N // 2. One key cannot be halved: then it gives up."""


class PageCannotShrink(Exception):
    """One key alone takes too long."""


def handler(event, context):
    if event <= 1:
        raise PageCannotShrink("a single key takes longer than the function may run")
    return event // 2
