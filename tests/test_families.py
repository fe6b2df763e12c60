import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sans.families import FAMILIES, parse, sampled, spec_of

laws = settings(derandomize=True, deadline=None, max_examples=60)
PLACES = [(name, d) for name, family in FAMILIES.items() for d in family.formulas]


@st.composite
def members(draw, name, dimensions):
    """Return a valid member of a family."""
    formula = FAMILIES[name].formula(dimensions)
    values = []
    for parameter in formula.parameters[: draw(st.integers(formula.required, 9))]:
        low, high = parameter.low, min(parameter.high, 40)
        if parameter.unit == "cycles":
            high = min(high, 0.49 * values[0])
        value = draw(st.floats(low, max(low, high)))
        if parameter.step:
            value = max(low, value // parameter.step * parameter.step)
        values.append(value)
    return tuple(values)


@st.composite
def specs(draw):
    """Return a spec of any family, with any pattern."""
    name, dimensions = draw(st.sampled_from([*PLACES, ("learned", 1), ("learned", 2), ("dct", 1)]))
    pattern = draw(st.sampled_from(["", "each", "0.8/-0.6", "1"]))
    if name == "dct":
        return spec_of(name, (), dimensions)
    if name == "learned":
        sizes = draw(st.lists(st.integers(1, 99), min_size=1, max_size=3))
        return spec_of(name, [(size,) for size in sizes], dimensions, pattern)
    chosen = draw(st.lists(members(name, dimensions), min_size=1, max_size=3, unique=True))
    try:
        return spec_of(name, chosen, dimensions, pattern)
    except ValueError as error:  # too few samples for the cycles of a default
        assume("cycles" not in str(error))
        raise


@laws
@given(specs())
def test_a_spec_is_what_its_text_says(spec):
    assert parse(spec.text, spec.dimensions) == spec


@laws
@given(specs())
def test_members_have_unit_norm_and_the_size_that_the_spec_says(spec):
    if spec.learned or spec.cosines:
        with pytest.raises(ValueError, match="no formula"):
            spec.arrays()
        return
    for kernel, size in zip(spec.arrays(), spec.sizes, strict=True):
        assert kernel.shape == (size,) * spec.dimensions
        assert (kernel**2).sum() == pytest.approx(1)


@pytest.mark.parametrize(("name", "dimensions"), PLACES)
def test_a_standard_bank_costs_nothing(name, dimensions):
    if not FAMILIES[name].formula(dimensions).standard:
        pytest.skip("has none")
    spec = parse(name, dimensions)
    assert spec.standard
    assert spec.numbers == 0
    assert parse(spec.text, dimensions) == spec
    assert all(abs((kernel**2).sum() - 1) < 1e-12 for kernel in spec.arrays())


def test_the_banks_of_the_theory():
    assert parse("hann").sizes == (1, 3, 5, 9, 17, 33, 65, 129, 257, 513)
    assert parse("box").sizes == (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    for kernel, size in zip(parse("hann").arrays(), parse("hann").sizes, strict=True):
        window = np.hanning(size + 2)[1:-1]
        np.testing.assert_allclose(kernel, window / np.linalg.norm(window), atol=1e-15)
    for kernel in parse("box").arrays():
        np.testing.assert_allclose(kernel, len(kernel) ** -0.5)


@pytest.mark.parametrize(
    ("text", "sizes", "numbers"),
    [
        ("hann:5,9,17,33", (5, 9, 17, 33), 4),
        ("hann:5..160x2", (5, 10, 20, 40, 80, 160), 3),
        ("hann:4.5", (5,), 1),
        ("sine:9..40x2/2", (9, 18, 36), 4),
        ("gabor:33/2/0.25", (33,), 3),
        ("gabor:33/2/0.25/0.2, 17/1", (33, 17), 6),
        ("learned:30,12", (30, 12), 42),
        ("learned:15,15", (15, 15), 30),
        ("dct", (), 0),
        ("box:3@each", (3,), 1),
    ],
)
def test_what_a_text_gives_and_costs(text, sizes, numbers):
    spec = parse(text)
    assert spec.sizes == sizes
    assert spec.numbers == numbers
    assert parse(spec.text) == spec


def test_learned_kernels_of_images_cost_all_their_samples():
    assert parse("learned:5,3", 2).numbers == 34


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hanm:5", "there is no family 'hanm'; did you mean hann"),
        ("", "there is no family ''; known: hann"),
        ("hann:", "gives no members: write hann:5,9,17"),
        ("hann:0.5", "the width of hann must be between 1 and 1048576 samples, not 0.5"),
        ("hann:5/2", "hann is written hann:5,9,17, not hann:5/2"),
        ("gabor:9", "gabor is written gabor:width/cycles/[phase]/[spread], not gabor:9"),
        ("gabor:9/5", "the cycles of gabor must be between 0.25 and 4.5 cycles, not 5"),
        ("sine:1", "the cycles of sine must be between 0.5 and 0.5 cycles, not 1"),
        ("sine:9/0.7", "the cycles of sine must be a multiple of 0.5, not 0.7"),
        ("hann:five", "the parameters of hann are numbers, not 'five'"),
        ("hann:inf", "the parameters of hann must be finite, not inf"),
        ("hann:5,9,5", "hann:5 is given twice"),
        ("hann:9..5x2", "a grid leads upwards from above 0, not from 9 to 5"),
        ("hann:5..9x1", "the ratio of a grid must be above 1, not 1"),
        ("hann:5..9", "a grid is written FIRST..LASTxRATIO, such as hann:5..160x2, not '5..9'"),
        ("hann:1..9x1.0001", "has 21974 members: at most 4096"),
        ("learned:3..9x2", "only the members of a formula make a grid, not those of learned"),
        ("learned", "learned has no members of its own: write learned:30"),
        ("learned:2.5", "a whole number of samples between 1 and 1048576, not 2.5"),
        ("learned:3/4", "a learned kernel has one number, its samples, not 2"),
        ("chirp", "chirp has no standard bank of its own: write chirp:width/first/last/.phase"),
        ("dct:5", "dct has no members: it is all cosines of the window"),
        ("dct@each", "cosines have no pattern of leads, not 'each'"),
        ("hann@all", "a pattern of leads is each, or numbers such as 0.8/0.6, not 'all'"),
        ("hann@0/0", "a pattern of leads has finite numbers, not all zero: not '0/0'"),
        ("line:9/0", "line is a family for images, not for signals"),
    ],
)
def test_a_wrong_text_is_one_line(text, said):
    with pytest.raises(ValueError, match=said.replace("[", r"\[")) as error:
        parse(text)
    assert "\n" not in str(error.value)


def test_a_family_for_signals_is_none_for_images():
    with pytest.raises(ValueError, match="morlet is a family for signals, not for images"):
        parse("morlet:9/2", 2)
    with pytest.raises(ValueError, match="1 or 2 dimensions of space, not 3"):
        parse("hann", 3)


def test_chosen_members_wider_than_the_window_are_refused():
    with pytest.raises(ValueError, match="hann:2000 takes 2000 samples: more than the 1000 of the"):
        parse("hann:9,2000").check_space((1000,))
    with pytest.raises(ValueError, match="hann:9 is for signals, not for data of shape"):
        parse("hann:9").check_space((28, 28))
    parse("hann:1000").check_space((1000,))


def test_standard_members_wider_than_the_window_are_left_out():
    spec = parse("hann").fitting((178,))
    assert spec.sizes == (1, 3, 5, 9, 17, 33, 65, 129)
    assert spec.standard
    assert spec.text == "hann"
    assert parse("hann:9").fitting((178,)) == parse("hann:9")
    with pytest.raises(ValueError, match="the narrowest ricker takes 5 samples: more than the 3"):
        parse("ricker").fitting((3,))


def test_sampling_refuses_what_is_no_formula():
    with pytest.raises(ValueError, match="learned is no formula"):
        sampled("learned", (5,))
    with pytest.raises(ValueError, match="there is no family 'han'; did you mean hann"):
        sampled("han", (5,))
