"""Pictures as files."""

import json
import os
import sys
from pathlib import Path

import pytest

import dout
from dout.see.export import save


@pytest.fixture
def picture():
    return dout.see(lambda x, y: x * y + x, 3.0, 2.0)


def test_svg(picture, tmp_path):
    assert picture.save(tmp_path / "a.svg") is None
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg()


def test_paths_may_be_text_and_suffixes_capitals(picture, tmp_path):
    save(picture, str(tmp_path / "a.SVG"))
    assert (tmp_path / "a.SVG").read_text(encoding="utf-8").startswith("<svg")


def test_options_go_through(picture, tmp_path):
    save(picture, tmp_path / "a.svg", lang="zh", theme="dark")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg(lang="zh", theme="dark")


def test_json(picture, tmp_path):
    save(picture, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == picture.describe()


def test_txt(picture, tmp_path):
    save(picture, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == picture.text() + "\n"


def test_another_suffix_says_which_there_are(picture, tmp_path):
    for name in ("a.gif", "a", ".svg"):
        with pytest.raises(ValueError, match=r"has to end in \.svg, \.png, \.pdf, \.html, \.json or \.txt"):
            picture.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(picture, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*missing'$"):
        picture.save(tmp_path / "missing" / "a.svg")


def test_an_option_that_there_is_not(picture, tmp_path):
    for made in (picture.svg, picture.html, lambda **options: picture.save(tmp_path / "a.svg", **options)):
        with pytest.raises(TypeError, match="no option 'formula'; did you mean 'formulas'"):
            made(formula=True)
        with pytest.raises(TypeError, match="no option 'colour'; there are formulas, lang, "):
            made(colour=True)


def test_a_wrong_option_leaves_no_file_and_keeps_the_old_one(picture, tmp_path):
    (tmp_path / "old.svg").write_text("old")
    for name in ("old.svg", "new.svg"):
        with pytest.raises(ValueError, match="theme has to be"):
            picture.save(tmp_path / name, theme="blue")
    assert [p.name for p in tmp_path.iterdir()] == ["old.svg"]
    assert (tmp_path / "old.svg").read_text() == "old"


def test_what_fails_while_writing_leaves_nothing(picture, tmp_path, monkeypatch):
    def fails(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        picture.save(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_or_is_in_the_way(picture, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        picture.save(tmp_path / "nowhere" / "a.svg")
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.svg"):
        picture.save(tmp_path / "a.svg")


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_rights_are_those_of_any_new_file_and_stay(picture, tmp_path):
    (tmp_path / "other").write_text("")
    picture.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "a.svg").chmod(0o600)
    picture.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed(picture, tmp_path):
    (tmp_path / "real.svg").write_text("old")
    try:
        (tmp_path / "link.svg").symlink_to(tmp_path / "real.svg")
    except OSError:
        pytest.skip("no links here")
    picture.save(tmp_path / "link.svg")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "real.svg").read_text(encoding="utf-8") == picture.svg()


def test_images_name_the_extra_that_is_missing(picture, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    for name in ("a.png", "a.pdf"):
        with pytest.raises(ImportError, match=r'pip install "dout\[images\]"'):
            picture.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


class TestImages:
    @pytest.fixture(autouse=True)
    def _cairo(self):
        try:
            import cairosvg  # noqa: F401
        except (ImportError, OSError) as error:
            pytest.skip(f"CairoSVG: {error}")

    def test_png(self, picture, tmp_path):
        picture.save(tmp_path / "a.png")
        data = (tmp_path / "a.png").read_bytes()
        assert data.startswith(b"\x89PNG")
        picture.save(tmp_path / "b.png", scale=1)
        assert _size(tmp_path / "a.png") == pytest.approx([2 * n for n in _size(tmp_path / "b.png")], abs=1)

    def test_png_has_the_colours(self, picture, tmp_path):
        colours = _colours(tmp_path, picture, theme=None)
        assert {(255, 255, 255), (0x1F, 0x5F, 0xBF), (0xB3, 0x40, 0x1F)} <= colours
        colours = _colours(tmp_path, picture, theme="dark")
        assert {(0x14, 0x18, 0x1D), (0x8A, 0xB4, 0xFF), (0xFF, 0x9D, 0x7A)} <= colours

    def test_a_scale_that_makes_too_large_an_image(self, picture, tmp_path):
        for scale in (1000, 0, -1):
            with pytest.raises(ValueError, match=r"scale has to be above 0 and, for a picture of .* px, at most"):
                picture.save(tmp_path / "a.png", scale=scale)

    def test_pdf_is_the_same_at_any_time(self, picture, tmp_path):
        picture.save(tmp_path / "a.pdf")
        data = (tmp_path / "a.pdf").read_bytes()
        assert data.startswith(b"%PDF")
        assert b"/CreationDate (D:20000101000000" in data

    def test_names_in_other_scripts_are_written_if_the_machine_has_a_font(self):
        from dout.see.raster import _fonts, _prepared

        prepared = _prepared(_named("价格").svg()).decode()
        if _fonts().of("价") == _fonts().mono:
            pytest.skip("no font for Chinese here")
        assert f'font-family="{_fonts().of("价")}"' in prepared


def _named(name):
    names = {}
    exec(f"def f({name}):\n    return {name} * {name}", names)
    return dout.see(names["f"], 3.0)


def _size(path: Path) -> list[int]:
    data = path.read_bytes()
    return [int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")]


def _colours(folder, picture, theme):
    import cairocffi

    picture.save(folder / "colours.png", theme=theme)
    surface = cairocffi.ImageSurface.create_from_png(str(folder / "colours.png"))
    data = bytes(surface.get_data())
    step = 4 if surface.get_format() in (cairocffi.FORMAT_ARGB32, cairocffi.FORMAT_RGB24) else 0
    return {(data[i + 2], data[i + 1], data[i]) for i in range(0, len(data), step)}
