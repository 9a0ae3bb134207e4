"""What the operator types in answer to a question, checked before it is sent."""

from protocols.states import Question


def hint(question: Question) -> str:
    """Say what a question takes: its range, or words."""
    if question.number is None:
        return "in words"
    low, high = question.number
    return f"{low:g} to {high:g}"


def typed(question: Question, text: str) -> tuple[str, str]:
    """Return the answer as the session takes it, and why it is none (empty: it is)."""
    answer = text.strip()
    if question.number is not None:
        answer = answer.replace(",", ".")  # a decimal comma
    return answer, question.refusal(answer)
