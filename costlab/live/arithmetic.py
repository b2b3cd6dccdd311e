"""A calculator for agents: an expression is parsed and worked out node by node, exactly. Nothing is evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from fractions import Fraction

from costlab.errors import BadInput

LONGEST = 300  # characters of an expression
_LARGEST_BITS = 4_096  # of a result's numerator and denominator: a power cannot fill the memory
_LARGEST_POWER = 64
_DIGITS = 12  # decimals shown of a result that has no end

_TWO: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
}


def work_out(expression: str) -> str:
    """Return the result of an expression of numbers, + - * / // % ** and brackets; raises BadInput naming what is odd.

    Results are exact where they have an end, else rounded to 12 decimals.
    """
    text = expression.strip().replace("×", "*").replace("÷", "/").replace("^", "**")
    if not text or len(text) > LONGEST:
        raise BadInput(f"an expression has 1 to {LONGEST} characters, not {len(text)}", field="expression")
    try:
        tree = ast.parse(text, mode="eval")
        return shown(_value(tree.body))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadInput(f"no arithmetic: {text[:80]!r}", field="expression") from None
    except ZeroDivisionError:
        raise BadInput(f"division by zero in {text[:80]!r}", field="expression") from None


def shown(value: Fraction) -> str:
    """Return a number in plain decimals without needless zeros."""
    scaled = round(value * 10**_DIGITS)
    whole, rest = divmod(abs(scaled), 10**_DIGITS)
    text = f"{whole}.{rest:0{_DIGITS}d}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return _bounded(Fraction(str(number)))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO:
            return _bounded(_TWO[type(op)](_value(left), _value(right)))
    raise BadInput(f"only numbers and + - * / // % ** are allowed, not {ast.unparse(node)[:60]!r}", field="expression")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > _LARGEST_POWER:
        raise BadInput(f"a power must be a whole number up to {_LARGEST_POWER}, not {exponent}", field="expression")
    if base.numerator.bit_length() * abs(exponent.numerator) > _LARGEST_BITS:
        raise BadInput("the result is too large", field="expression")
    return _bounded(base**exponent.numerator)


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > 2 * _LARGEST_BITS:
        raise BadInput("the result is too large", field="expression")
    return value
