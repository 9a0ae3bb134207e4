"""Validation errors in an operator's words: where, what, and the nearest known key."""

import difflib
from collections.abc import Collection, Iterator

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, known_keys: Collection[str]) -> Iterator[str]:
    """Yield one line per problem, with the nearest known key for an unknown one."""
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            key = str(problem["loc"][-1])
            near = difflib.get_close_matches(key, known_keys, n=1)
            yield f"{where}: unknown key" + (f"; did you mean {near[0]!r}?" * len(near))
        elif problem["type"] in ("value_error", "missing"):
            yield f"{where or 'file'}: {problem['msg']}"
        else:
            yield f"{where or 'file'}: {problem['msg']} (it is {problem['input']!r})"


def keys_of(*models: type[BaseModel]) -> set[str]:
    """Return every key that some model, or a model inside it, knows."""
    found: set[str] = set()
    for model in models:
        found |= set(model.model_fields)
        for field in model.model_fields.values():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= keys_of(inner)
    return found
