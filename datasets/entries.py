"""The catalogue: every data set that has a name of its own."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sans.datasets import epilepsy, mnist, physionet, synthetic, synthetic_2d
from sans.datasets.config import DataConfig
from sans.datasets.folders import always_here
from sans.datasets.parts import Dataset
from sans.errors import DatasetError

GOLDBERGER = (
    "A. Goldberger et al., PhysioBank, PhysioToolkit, and PhysioNet, "
    "Circulation 101(23), e215-e220, 2000"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue."""

    name: str
    """What `--dataset` calls it."""

    title: str
    """Its full name."""

    kind: str
    """"synthetic", "recordings", "signals" or "images"."""

    size: str
    """How much there is of it, in words."""

    licence: str
    """The terms it is distributed under."""

    source: str
    """Where it comes from, a URL; for the synthetic sets, nothing."""

    citation: str
    """What to cite."""

    record: str | None = None
    """The record of a Physionet database that the paper used: the first of its RECORDS file."""

    version: str = ""
    """The version of a Physionet database to download; "" for everything else."""

    load: Callable[[DataConfig], Dataset] = field(kw_only=True)
    """Load what a user asks for; raise a `DatasetError` if it is not here or unusable."""

    find: Callable[[Path | None], Path | None] = field(kw_only=True)
    """Return the folder where the set lies, None if it is not here; the argument is a folder to
    look in first. `sans.datasets.folders.place_of` makes such a function from names of files."""


def _physionet(name: str, title: str, size: str, citation: str, record: str | None) -> Entry:
    return Entry(
        name,
        title,
        "recordings",
        size,
        "ODC-By 1.0",
        f"https://physionet.org/content/{name}/1.0.0/",
        citation,
        record,
        "1.0.0",
        load=partial(physionet.load, usual=record),
        find=partial(physionet.find_folder, name),
    )


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "synthetic",
        "ECG-like signal of known kernels and spikes",
        "synthetic",
        "60 windows of 1,000 samples, made when asked for",
        "MIT",
        "",
        "this package",
        load=synthetic.load,
        find=always_here,
    ),
    Entry(
        "synthetic-2d",
        "Images of known strokes at known places",
        "synthetic",
        "2,800 images of 28 x 28, made when asked for",
        "MIT",
        "",
        "this package",
        load=synthetic_2d.load,
        find=always_here,
    ),
    _physionet(
        "apnea-ecg",
        "Apnea-ECG Database",
        "70 nights of ECG, 100 Hz",
        "T. Penzel et al., The Apnea-ECG Database, Computers in Cardiology 27, 255-258, 2000",
        "a01",
    ),
    _physionet(
        "bidmc",
        "BIDMC PPG and Respiration Dataset",
        "53 records of 8 min, 125 Hz: respiration, pulse and leads of ECG",
        "M. Pimentel et al., Toward a Robust Estimation of Respiratory Rate From Pulse Oximeters, "
        "IEEE Trans. Biomed. Eng. 64(8), 1914-1923, 2017",
        "bidmc01",
    ),
    _physionet(
        "bpssrat",
        "Blood Pressure in Salt-Sensitive Dahl Rats",
        "30 records of 2 min, 100 Hz",
        "S. Bugenhagen, A. Cowley, D. Beard, Identifying physiological origins of baroreflex "
        "dysfunction in salt-sensitive hypertension in the Dahl SS rat, "
        "Physiol. Genomics 42(1), 23-41, 2010",
        "ssbn13hs01",
    ),
    _physionet(
        "cebsdb",
        "Combined Measurement of ECG, Breathing and Seismocardiograms",
        "60 records, 5,000 Hz",
        "M. Garcia-Gonzalez et al., A comparison of heartbeat detectors for the seismocardiogram, "
        "Computing in Cardiology 40, 461-464, 2013",
        "b001",
    ),
    _physionet(
        "ctu-uhb-ctgdb",
        "CTU-CHB Intrapartum Cardiotocography Database",
        "552 records of up to 90 min, 4 Hz: heart rate and contractions",
        "V. Chudacek et al., Open access intrapartum CTG database, "
        "BMC Pregnancy and Childbirth 14:16, 2014",
        "1001",
    ),
    _physionet(
        "drivedb",
        "Stress Recognition in Automobile Drivers",
        "18 drives of 1 h or more, 15.5 Hz frames: ECG, EMG, GSR, respiration",
        "J. Healey, R. Picard, Detecting stress during real-world driving tasks using "
        "physiological sensors, IEEE Trans. Intell. Transp. Syst. 6(2), 156-166, 2005",
        "drive01",
    ),
    _physionet(
        "emgdb",
        "Examples of Electromyograms",
        "3 records of 13 to 37 s, 4,000 Hz",
        GOLDBERGER,
        "emg_healthy",
    ),
    _physionet(
        "mitdb",
        "MIT-BIH Arrhythmia Database",
        "48 records of 30 min, 360 Hz: 2 leads of ECG",
        "G. Moody, R. Mark, The impact of the MIT-BIH Arrhythmia Database, "
        "IEEE Eng. Med. Biol. Mag. 20(3), 45-50, 2001",
        "100",
    ),
    _physionet(
        "noneeg",
        "Non-EEG Dataset for Assessment of Neurological Status",
        "40 records of 20 subjects: 3 axes of acceleration and more at 8 Hz, pulse at 1 Hz",
        "J. Birjandtalab et al., A Non-EEG Biosignals Dataset for Assessment and Visualization of "
        "Neurological Status, IEEE SiPS, 2016",
        "Subject1_AccTempEDA",
    ),
    _physionet(
        "prcp",
        "Physiologic Response to Changes in Posture",
        "10 subjects, 250 Hz",
        "T. Heldt et al., Circulatory response to passive and active changes in posture, "
        "Computers in Cardiology 30, 263-266, 2003",
        "12726",
    ),
    _physionet(
        "shhpsgdb",
        "Sleep Heart Health Study Polysomnography Database",
        "1 night",
        "S. Quan et al., The Sleep Heart Health Study: design, rationale, and methods, "
        "Sleep 20(12), 1077-1085, 1997",
        "0000",
    ),
    _physionet(
        "slpdb",
        "MIT-BIH Polysomnographic Database",
        "18 records of 2 to 7 h, 250 Hz",
        "Y. Ichimaru, G. Moody, Development of the polysomnographic database on CD-ROM, "
        "Psychiatry Clin. Neurosci. 53(2), 175-177, 1999",
        "slp01a",
    ),
    _physionet(
        "sufhsdb",
        "Shiraz University Fetal Heart Sounds Database",
        "119 mothers, 16 kHz and more",
        "M. Samieinasab, R. Sameni, Fetal phonocardiogram extraction using single channel blind "
        "source separation, ICEE, 78-83, 2015",
        None,
    ),
    _physionet(
        "voiced",
        "VOICED Database",
        "208 voices of 5 s, 8,000 Hz",
        "U. Cesari et al., A new database of healthy and pathological voices, "
        "Comput. Electr. Eng. 68, 310-321, 2018",
        "voice001",
    ),
    _physionet(
        "wrist",
        "Wrist PPG During Exercise",
        "19 records of 4 to 10 min, 256 Hz: chest ECG, pulse, motion",
        "D. Jarchi, A. Casson, Description of a Database Containing Wrist PPG Signals Recorded "
        "during Physical Exercise with Both Accelerometer and Gyroscope Measures of Motion, "
        "Data 2(1), 1, 2017",
        "s1_high_resistance_bike",
    ),
    Entry(
        "uci-epilepsy",
        "Epileptic Seizure Recognition",
        "signals",
        "11,500 windows of 178 samples, 3 MB (7 MB)",
        "CC BY 4.0",
        "https://archive.ics.uci.edu/dataset/388/epileptic+seizure+recognition",
        "Q. Wu, E. Fokoue, Epileptic Seizure Recognition, UCI Machine Learning Repository, 2017; "
        "R. Andrzejak et al., Phys. Rev. E 64, 061907, 2001",
        load=epilepsy.load,
        find=epilepsy.find_folder,
    ),
    Entry(
        "mnist",
        "MNIST handwritten digits",
        "images",
        "60,000 + 10,000 images of 28 x 28, 11 MB (55 MB)",
        "CC BY-SA 3.0",
        "http://yann.lecun.com/exdb/mnist/",
        "Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits",
        load=mnist.load,
        find=partial(mnist.find_folder, "mnist"),
    ),
    Entry(
        "fashion-mnist",
        "Fashion-MNIST clothes",
        "images",
        "60,000 + 10,000 images of 28 x 28, 30 MB (55 MB)",
        "MIT",
        "https://github.com/zalandoresearch/fashion-mnist",
        "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        load=mnist.load,
        find=partial(mnist.find_folder, "fashion-mnist"),
    ),
)


def is_name(name: str) -> bool:
    """Return whether a row of the catalogue is called `name`."""
    return any(entry.name == name for entry in ENTRIES)


def find_database(name: str) -> Entry | None:
    """Return the row of a Physionet database, or None if the catalogue has none of that name."""
    return next((entry for entry in ENTRIES if entry.version and entry.name == name), None)


def catalogue() -> tuple[Entry, ...]:
    """Return every data set that has a name of its own, in the order of the paper's tables."""
    return ENTRIES


def find_entry(name: str) -> Entry:
    """Return the row of the catalogue called `name`.

    Raises:
        DatasetError: if there is none; the message has the nearest names.
    """
    names = {entry.name: entry for entry in ENTRIES}
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
    raise DatasetError(
        f"no data set {name!r}: {hint} (or physionet:DATABASE/RECORD, or the path of a recording)"
    )
