"""Quick tokens are those that sqlglot makes, whatever the text, in every dialect that has them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from review.dialects import Dialect
from review.parsing import parse
from review.parsing.maxcompute import MaxCompute

QUICK = (
    Dialect.MAXCOMPUTE, Dialect.HIVE, Dialect.SPARK, Dialect.HOLOGRES, Dialect.POSTGRES, Dialect.CLICKHOUSE,
    Dialect.PRESTO, Dialect.TRINO,
)  # fmt: skip
TEXT = """
a a1 _b a.b 1 1.5 .5 1. 1e3 1_0 0x1F 2a 3L 9D 'x' 'it''s' 'a\\'b' 'a\\\\' "n" "n""m" `q` `q``r` n'x'
N'x' e'\\n' E'x' b'1' x'ff' u&'d' U&'d' U & $ $1 $$ $x$ a$b @ @v @> <@ -> ->> #> # :: : := :b ? ?|
|| | |> < <= <> != > == <=> << && & ^ ~ ~* !~ ! % * + - / \\ ( ) [ ] { } , ; . .. select SELECT from
where group by GROUP order BY partition not is null date timestamp interval is not left join union
all values case end current_date float double precision over insert into 中文 é $[a] LIKE ILIKE
array[1] map{ limit for update
"""
WORDS = st.sampled_from(TEXT.split())


@pytest.mark.parametrize("dialect", QUICK)
@settings(max_examples=150, deadline=None)
@given(words=st.lists(WORDS, max_size=12), between=st.sampled_from((" ", "", "\n", " \t")))
def test_are_those_of_sqlglot(dialect: Dialect, words: list[str], between: str) -> None:
    tokenizer, _ = parse._tools(dialect, threading.get_ident())
    same_tokens(tokenizer, between.join(words))


MARKS = (
    "'", '"', "`", "\\", "@", ".", "1.5", "1L", "--", "/*", "*/", "/*+", "é", "x'1f'", "n'a'", "1e-3", "<=>",
    "||", "::", "->", ":=", "$a", "a-b", "SHOW", "2.", "\\'", "''", "{#", "USER", "GROUP  BY", "\n", "\x00",
)  # fmt: skip
SOUP = st.sampled_from([*MARKS, *Path("tests/data/maxcompute.sql").read_text().split()])


@settings(deadline=None, max_examples=400)
@given(st.lists(SOUP, max_size=12), st.sampled_from([" ", ""]))
def test_are_those_of_sqlglot_for_a_mix_of_maxcompute(words: list[str], between: str) -> None:
    same_tokens(MaxCompute().tokenizer(), between.join(words))


def same_tokens(tokenizer: Tokenizer, text: str) -> None:
    """Check `tokenizer` on `text`, where sqlglot makes tokens of it."""
    try:
        wanted = [_token(token) for token in tokenizer._core.tokenize(text)]
    except TokenError:
        return
    assert [_token(token) for token in tokenizer.tokenize(text)] == wanted


def _token(token: Token) -> tuple[TokenType, str, int, int]:
    return token.token_type, token.text, token.start, token.end
