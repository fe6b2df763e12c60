import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sans.families import FAMILIES, gradients, nearest, parse, sampled, spec_of, words
from sans.pursuit.encoder import pursue
from sans.stretching import stretched

laws = settings(derandomize=True, deadline=None, max_examples=40)
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
def test_a_standard_bank_costs_what_describes_it(name, dimensions):
    if not FAMILIES[name].formula(dimensions).standard:
        pytest.skip("has none")
    spec = parse(name, dimensions)
    fixed = {1: ("hann", "box"), 2: ("square", "box", "line")}[dimensions]
    values = [set(column) for column in zip(*spec.members, strict=True)]
    assert spec.standard
    assert (spec.numbers == 0) == (name in fixed)
    assert spec.numbers <= 3 + sum(map(len, values))
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
        ("gabor:33/2/0.25, 17/1", (33, 17), 5),
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
        ("gabor:9", "gabor is written gabor:width/cycles/[phase], not gabor:9"),
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


@pytest.mark.parametrize("name", ["hann", "gaussian", "box", "ricker", "morlet"])
@pytest.mark.parametrize("width", [5, 8.3, 21, 34.6])
def test_the_mirror_of_a_symmetric_member_is_itself(name, width):
    member = (width, 2.0) if name == "morlet" else (width,)
    kernel = sampled(name, member)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-15)
    assert kernel[np.abs(kernel).argmax()] > 0


@pytest.mark.parametrize(
    ("name", "member"), [("derivative", (21,)), ("step", (14,)), ("sine", (30, 2))]
)
def test_the_mirror_of_an_odd_member_is_its_negative(name, member):
    kernel = sampled(name, member)
    np.testing.assert_allclose(kernel, -kernel[::-1], atol=1e-14)


def test_one_sided_members_are_mirrors_of_each_other():
    for name in ("exponential", "half"):
        kernel = sampled(name, (21, 0.3))
        np.testing.assert_allclose(kernel, sampled(name, (21, 0.7))[::-1], atol=1e-14)
        assert sampled(name, (21, 0)).argmax() == 0
        assert sampled(name, (21, 1)).argmax() == 20
    np.testing.assert_allclose(sampled("half", (21, 0.5)), sampled("hann", (21,)), atol=1e-14)


def test_families_that_hold_each_other():
    np.testing.assert_allclose(
        sampled("chirp", (40, 3, 3, 0.2)), sampled("gabor", (40, 3, 0.2)), atol=1e-14
    )
    np.testing.assert_allclose(sampled("morlet", (60, 4)), sampled("gabor", (60, 4)), atol=1e-3)
    wavelet = sampled("morlet", (60, 1))
    assert abs(wavelet.sum()) < 0.02 * np.abs(wavelet).sum()
    upright = sampled("line", (9, 0.25, 2), 2)
    np.testing.assert_allclose(upright, sampled("line", (9, 0, 2), 2).T, atol=1e-12)
    np.testing.assert_allclose(sampled("box", (4,), 2), np.full((4, 4), 0.25))


def test_a_line_rises_with_its_angle():
    rising = sampled("line", (7, 1 / 8, 1), 2)
    assert rising[0, -1] > 0
    assert rising[0, 0] == 0
    np.testing.assert_allclose(rising, rising.T[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("width", [33, 80])
def test_a_stretched_bump_is_a_wider_bump(width):
    longer = stretched([sampled("hann", (width,))], [2.0])[1]
    found = nearest(longer, ["hann"])
    assert found.share >= 0.999
    assert parse(found.text).members[0][0] == pytest.approx(2 * width, rel=0.05)


@pytest.mark.parametrize(
    ("text", "rate", "said"),
    [
        (
            ["hann:5..83x2", "learned:30"],
            360,
            "Hann bumps of 14 to 222 ms, and one learned kernel of 83 ms",
        ),
        (["hann"], 360, "the standard Hann bumps of 2.8 to 1425 ms"),
        (["box:999"], 4, "a box of 250 s"),
        (["exponential:17"], None, "an exponential of 17 samples"),
        (["hann:1"], None, "a Hann bump of 1 sample"),
        (["learned:30,12"], 100, "two learned kernels of 120 and 300 ms"),
        (["hann:5", "hann:9"], None, "Hann bumps of 5 and 9 samples"),
        (
            ["dct", "step:9", "box:3"],
            None,
            "all cosines of the window, a step of 9 samples, and a box of 3 samples",
        ),
        (["hann:5@each"], None, "a Hann bump of 5 samples in each lead alone"),
        (["hann:5@0.8/0.6"], None, "a Hann bump of 5 samples with the pattern 0.8/0.6"),
        ([], None, ""),
    ],
)
def test_kernels_in_words(text, rate, said):
    assert words([parse(each) for each in text], rate) == said


def test_images_in_words():
    assert words([parse("square:1,2,4", 2)]) == "squares of 1 to 4 pixels"


PLANTED = [
    ("hann:33", 1),
    ("box:14", 1),
    ("gabor:50/3/0.25", 1),
    ("exponential:40", 1),
    ("sine:40/2", 1),
    ("line:9/0.1/2", 2),
    ("square:5", 2),
]


@pytest.mark.parametrize(("text", "dimensions"), PLANTED)
def test_a_planted_member_is_found_in_noise(text, dimensions):
    kernel = np.pad(-3 * parse(text, dimensions).arrays()[0], 2)
    noise = np.random.default_rng(1).standard_normal(kernel.shape)
    found = nearest(kernel + 0.03 * noise / len(kernel) ** ((dimensions - 1) / 2))
    spec, planted = parse(found.text, dimensions), parse(text, dimensions)
    assert spec.family == planted.family
    np.testing.assert_allclose(spec.members, planted.members, rtol=0.05, atol=0.02)
    assert found.share > 0.98
    assert found.shift == (2,) * dimensions
    assert found.amplitude == pytest.approx(-3, rel=0.05)


def test_the_share_is_that_of_the_member_where_it_lies():
    kernel = np.random.default_rng(1).standard_normal(12).cumsum()
    found = nearest(kernel)
    member = parse(found.text).arrays()[0]
    line = np.zeros(12 + 2 * len(member))
    begin = len(member) + found.shift[0]
    line[begin : begin + len(member)] = found.amplitude * member
    line[len(member) : len(member) + 12] -= kernel
    assert (line**2).sum() == pytest.approx((1 - found.share) * (kernel**2).sum())


def test_only_some_families_are_looked_at():
    assert nearest(sampled("hann", (9,)), ["box"]).text.startswith("box:")
    with pytest.raises(ValueError, match="none of these families"):
        nearest(np.ones(5), ["line"])


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (np.zeros(5), "zero everywhere"),
        (np.array([1.0, np.nan]), "must be finite"),
        (np.ones((2, 2, 2)), r"1 or 2 dimensions, not shape \(2, 2, 2\)"),
        (np.ones(0), r"not shape \(0,\)"),
        (np.ones((2, 3)), r"square, not of shape \(2, 3\)"),
    ],
)
def test_what_cannot_be_explained_is_refused(kernel, said):
    with pytest.raises(ValueError, match=said):
        nearest(kernel)


def test_a_kernel_of_one_sample_is_explained():
    assert nearest(np.array([-2.0])).text == "hann:1"


@pytest.mark.parametrize("name", [name for name, d in PLACES if d == 1])
def test_gradients_of_signals(name):
    check_gradients(name, 1)


@pytest.mark.parametrize("name", [name for name, d in PLACES if d == 2])
def test_gradients_of_images(name):
    check_gradients(name, 2)


def check_gradients(name, dimensions):
    """Assert that kernels have the gradients that differences have."""
    values = {"cycles": 1.3, "turns": 0.13, "share": 0.3}
    formula = FAMILIES[name].formula(dimensions)
    member = [7.3, *(values.get(each.unit, 2.3) for each in formula.parameters[1:])]
    parameters = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in member]
    assert torch.autograd.gradcheck(
        lambda *each: gradients.kernel(name, each, dimensions, size=9), parameters
    )


@settings(laws, max_examples=15)
@given(specs())
def test_differentiable_members_are_the_sampled_ones(spec):
    if spec.learned or spec.cosines:
        return
    for member, expected in zip(spec.members, spec.arrays(), strict=True):
        values = torch.tensor(member, dtype=torch.float64).unbind()
        found = gradients.kernel(spec.family, values, spec.dimensions)
        torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-9, atol=1e-12)


def test_widths_are_learned_by_gradient():
    members = gradients.Learnable(parse("hann:9,31"))
    target = [torch.from_numpy(sampled("hann", (width,))) for width in (13.5, 24.0)]
    optimiser = torch.optim.Adam(members.parameters(), lr=0.06)
    for _ in range(40):
        optimiser.zero_grad()
        loss = sum(
            1 - (drawn * sampled_like(wanted, len(drawn))).sum()
            for drawn, wanted in zip(members.kernels(), target, strict=True)
        )
        loss.backward()
        optimiser.step()
        members.settle(100)
    widths = [member[0] for member in members.spec.members]
    np.testing.assert_allclose(widths, (13.5, 24), atol=0.6)
    assert parse(members.spec.text) == members.spec


def sampled_like(kernel, size):
    """Return a kernel in the middle of so many samples, zero or cut around it."""
    places = torch.arange(size) - (size - 1) // 2 + (len(kernel) - 1) // 2
    inside = (places >= 0) & (places < len(kernel))
    return torch.where(inside, kernel[places.clamp(0, len(kernel) - 1)], 0)


def test_parameters_stay_within_their_ranges():
    members = gradients.Learnable(parse("gabor:9/2/0.25,9/1"))
    with torch.no_grad():
        members.changes += torch.tensor([[9.0, 9.0, 9.0], [-9.0, -9.0, 9.0]])
    members.settle(40)
    assert members.spec.members[0][0] == pytest.approx(40)
    assert members.spec.members[0][1] == pytest.approx(20, rel=1e-4)
    assert members.spec.members[0][2] == 1
    assert members.spec.members[1] == pytest.approx((2, 0.25), rel=1e-5)


def test_members_that_meet_stay_apart():
    members = gradients.Learnable(parse("hann:9,12,30,40"))
    with torch.no_grad():
        members.changes += torch.tensor([[-9.0], [-9.0], [9.0], [9.0]])
    members.settle(64)
    spec = members.spec
    assert len(set(spec.members)) == 4
    assert parse(spec.text) == spec
    assert max(spec.sizes) == 64


def test_what_does_not_move_stays_as_it_was_given():
    members = gradients.Learnable(parse("sine:33.3/1.5,9"))
    assert members.spec == parse("sine:33.3/1.5,9")
    with torch.no_grad():
        members.changes += 0.1
    assert members.spec.members[0] == pytest.approx((33.3 * np.exp(0.1), 1.5))
    assert len(members.spec.members[1]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hann", "hann is a standard bank: choose members one by one"),
        ("hann:5..9x2", "hann:5..9x2 is a grid: choose"),
        ("learned:9", "no formula"),
    ],
)
def test_what_is_fixed_is_not_learned(text, said):
    with pytest.raises(ValueError, match=said):
        gradients.Learnable(parse(text))


def test_a_member_and_its_samples_give_the_same_code():
    signals = np.random.default_rng(0).standard_normal((2, 120)).cumsum(1)
    spec = parse("hann:9,17.5")
    weights = [gradients.kernel("hann", [torch.tensor(w)]).numpy() for (w,) in spec.members]
    ours, theirs = (
        pursue(signals, spec.arrays()),
        pursue(signals, [w.astype(float) for w in weights]),
    )
    np.testing.assert_array_equal(ours.place, theirs.place)
    np.testing.assert_array_equal(ours.kernel, theirs.kernel)
    np.testing.assert_allclose(ours.amplitude, theirs.amplitude, rtol=1e-4, atol=1e-6)


def test_specs_are_read_without_numpy_and_torch():
    code = "import sys, sans.families as f; f.words([f.parse('hann:5')]); "
    code += "sys.exit(any(name in sys.modules for name in ('numpy', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
