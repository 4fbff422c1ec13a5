"""Code frames: what is underlined, with any characters, and what is masked."""

from __future__ import annotations

from console.output.code_frames import MAX_LINES, MAX_WIDTH, CodeFrames, Range


def frame(code: str, at: tuple[int, int, int, int], *secrets: tuple[int, int, int, int]) -> list[str]:
    frames = CodeFrames(code, [Range(*secret) for secret in secrets])
    return [line.plain for line in frames.frame(Range(*at), "red")]


def test_a_range_on_one_line_is_shown_with_its_neighbours() -> None:
    code = "SELECT id\nFROM t\nORDER BY id\nLIMIT 1\n"
    assert frame(code, (3, 1, 3, 12)) == [
        "  |",
        "2 | FROM t",
        "3 | ORDER BY id",
        "  | ^^^^^^^^^^^",
        "4 | LIMIT 1",
        "  |",
    ]


def test_carets_are_aligned_after_wide_characters_and_tabs() -> None:
    shown = frame("SELECT '订单',\t*", (1, 14, 1, 15))
    assert shown[1:3] == ["1 | SELECT '订单',    *", f"  | {' ' * 18}^"]


def test_wide_characters_have_wide_carets() -> None:
    assert frame("'订单'", (1, 1, 1, 5))[2] == "  | ^^^^^^"


def test_an_empty_range_has_one_caret() -> None:
    assert frame("SELECT", (1, 7, 1, 7))[2] == "  |       ^"


def test_a_multi_line_range_is_connected_from_start_to_end() -> None:
    code = "SELECT a\nFROM t WHERE a IN (\n  SELECT b\n) ORDER BY a"
    assert frame(code, (2, 14, 4, 2)) == [
        "  |",
        "1 |   SELECT a",
        "2 |   FROM t WHERE a IN (",
        "  |  ______________^",
        "3 | |   SELECT b",
        "4 | | ) ORDER BY a",
        "  | |_^",
        "  |",
    ]


def test_a_range_from_the_start_of_a_line_needs_no_lead() -> None:
    assert frame("  SELECT a\n  FROM t", (1, 3, 2, 9)) == [
        "  |",
        "1 | /   SELECT a",
        "2 | |   FROM t",
        "  | |________^",
        "  |",
    ]


def test_the_middle_of_a_long_range_is_omitted() -> None:
    shown = frame("\n".join(f"line {number}" for number in range(1, 101)), (2, 1, 99, 8))
    numbers = [line.partition(" |")[0].strip() for line in shown if " | " in line]
    assert [number for number in numbers if number] == ["1", "2", "3", "4", "97", "98", "99", "100"]
    assert shown.count("...") == 1
    assert len([number for number in numbers if number]) == MAX_LINES + 2


def test_a_long_line_is_truncated_around_the_range() -> None:
    code = "x" * 5000 + "BAD" + "y" * 5000
    line, carets = frame(code, (1, 5001, 1, 5004))[1:3]
    assert len(line) < MAX_WIDTH + 10
    assert line[carets.index("^") : carets.rindex("^") + 1] == "BAD"
    assert line.startswith("1 | …x")
    assert line.endswith("y…")


def test_a_long_range_on_a_long_line_is_shown_from_its_start() -> None:
    carets = frame("x" * 5000, (1, 101, 1, 4001))[2]
    assert 0 < carets.count("^") <= MAX_WIDTH


def test_secrets_are_masked_in_the_frame_of_another_finding() -> None:
    code = "SET k = 'topsecret';\nDELETE FROM t;"
    shown = frame(code, (2, 1, 2, 14), (1, 10, 1, 19))
    assert shown[1] == "1 | SET k = '*********';"


def test_multi_line_secrets_are_masked() -> None:
    assert "key" not in "".join(frame("a = '''key\nkey2\nkey3'''", (3, 8, 3, 9), (1, 8, 3, 5)))


def test_control_characters_are_replaced() -> None:
    shown = "".join(frame("SELECT '\x1b[31m\x07'\r\nFROM t", (1, 1, 1, 7)))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\r" not in shown


def test_a_range_beyond_the_text_is_accepted() -> None:
    assert frame("", (1, 1, 1, 1)) == ["  |", "1 |", "  | ^", "  |"]
    assert frame("a\n", (2, 1, 2, 1))[0] == "  |"
