"""Every figure of the findings stands in the tables, and their words are those of the comparisons."""

import itertools

import pandas as pd

from reproduce.claims.rows import decode
from reproduce.tables import table3, table4
from reproduce.tables.table5 import ablations
from tests.documents.support import TABLES, compared_in, comparisons_of, filled, holds, qubits, row, rows

PAGE = "docs/findings.md"


NOISELESS, HEAD, RANKED = "qfl[trained=noiseless]", "qfl[trained=noisy head]", "5/feature-map-rank[outputs=255]"
VOWELS, LEADS, ROAD = "1/japanese-vowels", "2/ludb", "2/los-loop"
MEASURED = "5/japanese-vowels/qfl[measurement={}]@3/accuracy/±3"
FOURTH, FIFTH = "3/polynomial[degree=4;form=product]", "3/polynomial[degree=5;form=sum]"
PRODUCT, SPEECH, NOISE = "3/polynomial[degree=3;form=product]", "5/japanese-vowels", "5/noise[channel=depolarizing"
ROADS = "{6/traffic-detectors[samples="
WIDTHS = rows("table5", r"gradient-variance\[features=1\]", "qfl.*", "gradient_variance_log2")["modalities"]
NOISY = rows("table5", "noise.*", "qfl.*", "accuracy")["modalities"]
FINDINGS = [
    f"QFL (P = 3) with {{{VOWELS}/qfl@3/accuracy.fusion_params/d}} weights reaches {{{VOWELS}/qfl@3/accuracy/±3}} acc",
    f"where Concat has {{{VOWELS}/concat/accuracy/±3}}.",
    f"as many weights has {{{VOWELS}/control@3/accuracy/±3}} there",
    f"Trained on 20 windows of {ROADS}20]/qfl@3/mae.modalities/d}} detectors it is off by "
    f"{ROADS}20]/qfl@3/mae/.2f}} vehicles where Concat is by {ROADS}20]/concat/mae/.2f}}, the control by "
    f"{ROADS}20]/control@3/mae/.2f}} and Gated by {ROADS}20]/gated/mae/.2f}}; on 160 by {ROADS}160]/qfl@3/mae/.2f}} "
    f"where Concat is by {ROADS}160]/concat/mae/.2f}} and the control by {ROADS}160]/control@3/mae/.2f}}: *better*",
    f"have {ROADS}20]/gcn/mae/.2f}} and {ROADS}20]/lmf-unit/mae/.2f}} with 20 windows: *undecided*",
    "With 20 of speech it has {6/japanese-vowels[samples=20]/qfl@3/accuracy/.3f} where Concat has "
    "{6/japanese-vowels[samples=20]/concat/accuracy/.3f}, with 20 of digits "
    "{6/mfeat[samples=20]/qfl@3/accuracy/.3f} where Concat has {6/mfeat[samples=20]/concat/accuracy/.3f} (",
    "it has {6/mnist[missing=each in turn]/qfl@3/accuracy/.3f} where Concat has "
    "{6/mnist[missing=each in turn]/concat/accuracy/.3f}, and {6/mnist/qfl@3/accuracy/.3f} against "
    "{6/mnist/concat/accuracy/.3f} with both",
    f"From 3 to 12 ECG leads LMF falls from {{{LEADS}#3/lmf/roc_auc/.3f}} to {{{LEADS}#12/lmf/roc_auc/.3f}} ROC AUC",
    f"QFL (P = 3) stays at {{{LEADS}#3/qfl@3/roc_auc/.3f}} and {{{LEADS}#12/qfl@3/roc_auc/.3f}} (Table 2, ludb).",
    "LMF's gradient is {2/synthetic#64/lmf/gradient_norm_log10/10^} at 64 modalities, QFL's "
    "{2/synthetic#64/qfl@3/gradient_norm_log10/10^}",
    "TFN and LMF of QFL's size have R² = {distinct/.2f} there up to degree 4",
    "Routing multiplies square-root iSWAPs by {routing/.1f}; 12 modalities",
    f"LMF has {{{LEADS}#12/lmf-unit/roc_auc/.3f}} on 12 leads",
    f"207 sensors take {{{ROAD}#207/qfl@3/mae.fusion_params/d}} weights (Table 2, los-loop, 207 modalities)",
    f"the forecast that nothing changes, {{{ROAD}#207/persistence/mae/.2f}} mph",
    f"degree 4, product, four modalities: {{{FOURTH}#4/qfl[blocks=2]@4/r2/.2f}} with two blocks and below zero",
    f"sums: of degree 5 over three modalities ({{{FIFTH}#3/qfl[blocks=4]@5/r2/.3f}}), of degree 3 and 5 over four "
    f"({{3/polynomial[degree=3;form=sum]#4/qfl@4/r2/.3f}} and {{{FIFTH}#4/qfl[blocks=2]@5/r2/.3f}}; Table 3",
    "it has R² of {3/polynomial[degree=1;form=sum]#4/gcn/r2/.2f} on a sum, "
    "{3/polynomial[degree=1;form=product]#4/gcn/r2/.2f} on one of four",
    f"degree 3, product, two modalities: {{{PRODUCT}#2/tfn/r2/.2f}} against {{{PRODUCT}#2/qfl@3/r2/.2f}})",
    "at every number of queries: {3/discrimination/qfl@5/error/.4f} at five",
    "measured by itself**: {3/discrimination/lmf[queries=6;uses=measured]/error/.2f} at six queries",
    "({3/discrimination/lmf[queries=5;uses=coherent]/error/.3f} against {3/discrimination/qfl@5/error/.4f} at five)",
    "{3/parameters#2/qfl@3/parameters/.0f} to {3/parameters#256/qfl@3/parameters/.0f} from 2 to 256",
    "fitted exponent {3/parameters#256/qfl@3/growth_exponent/.2f}); LMF's and MFB's linearly "
    "({3/parameters#256/lmf/growth_exponent/.2f})",
    "reaches {4/mfeat#2/qmfnn[hidden=32]/accuracy/.3f} on two views of digits with "
    "{4/mfeat#2/qmfnn[hidden=32]/accuracy.total_params/,d} parameters",
    "the leanest classical network of that accuracy has {4/mfeat#2/qmfnn[hidden=32]/parameter_ratio/.2f} times as many",
    "it is {4/emoji/qmfnn[hidden=32]/parameter_ratio/.2f}, {4/mnist/qmfnn[hidden=128]/parameter_ratio/.2f} and "
    "{4/cifar-10/qmfnn[hidden=32]/parameter_ratio/.2f} times as many",
    "with {4/mfeat#6/mean[hidden=8]/accuracy.fusion_params/d} to "
    "{4/mfeat#6/dempster[hidden=8]/accuracy.fusion_params/d} weights, have {4/mfeat#6/mean[hidden=8]/accuracy/.3f} to "
    "{4/mfeat#6/product[hidden=8]/accuracy/.3f} where QMFNN has "
    "{4/mfeat#6/qmfnn[hidden=8]/accuracy/.3f}",
    "{4/growth#2/qmfnn/fusion_growth.fusion_params/d} weights at 2 modalities, "
    "{4/growth#6/qmfnn/fusion_growth.fusion_params/d} at 6",
    "with 8 hidden units is {4/emoji/qmfnn[hidden=8]/accuracy.std/points} points on emoji and "
    "{4/mfeat#2/qmfnn[hidden=8]/accuracy.std/points} on mfeat",
    f"With {ablations.OUTPUTS['japanese-vowels']} outputs, Pauli planes have "
    f"{{{MEASURED.format('pauli_plane')}}}, the computational basis {{{MEASURED.format('computational')}}}, random "
    f"Pauli strings {{{MEASURED.format('random_pauli')}}} (Table 5",
    f"with {ablations.OUTPUTS['mfeat']} on mfeat "
    "{5/mfeat/qfl[measurement=pauli_plane]@3/accuracy/±3}, "
    "{5/mfeat/qfl[measurement=computational]@3/accuracy/±3} and "
    "{5/mfeat/qfl[measurement=random_pauli]@3/accuracy/±3} (Table 5, mfeat",
    "{4/mfeat#2/qmfnn[hidden=8]/accuracy.fusion_params/d} fusion weights where TFN has "
    "{4/mfeat#2/tfn[hidden=8]/accuracy.fusion_params/d} and LMF {4/mfeat#2/lmf[hidden=8]/accuracy.fusion_params/d}.",
    f"only with all {{{RANKED}/qfl[measurement=random_pauli]@3/rank_outputs/.0f}} of them on four qubits at P = 3",
    f"on two qubits end at rank {{{RANKED}/qfl[measurement=pauli_plane]@3/rank_outputs/.0f}}, on four at "
    f"{{{RANKED}/qfl[locality=4;measurement=pauli_plane]@3/rank_outputs/.0f}}, the computational basis at "
    "{5/feature-map-rank[outputs=15]/qfl[measurement=computational]@3/rank_outputs/.0f} (",
    f"span no more than {{{RANKED}/qfl[measurement=random_pauli]@1/rank_states/.0f}} dimensions",
    "error goes from {5/encoding[inputs=tanh]/qfl[scale=0.5pi]@2/reconstruction_error/.2f} at 0.5 pi to "
    "{5/encoding[inputs=tanh]/qfl[scale=4pi]@2/reconstruction_error/.2f} at 4 pi",
    "with small angles, {5/encoding[inputs=linear]/qfl[scale=0.1pi]@2/accuracy/.3f} at 0.1 pi",
    "accuracy is {angles/.2f}; at 2 pi it is {5/encoding[inputs=tanh]/qfl[scale=2pi]@2/accuracy/.2f} and at 4 pi "
    "{5/encoding[inputs=tanh]/qfl[scale=4pi]@2/accuracy/.2f}",
    "rotations about z do worse**: {circuits/.3f} with any entangler, number of blocks and rotations about x or y, "
    "{5/japanese-vowels/qfl[signal=rz]@3/accuracy/±3} about z",
    "loses {5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost} bits per qubit "
    "{5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost, interval} between "
    f"{qubits(WIDTHS.min(), 1)} and {qubits(WIDTHS.max(), 1)} qubits",
    "exponent {5/gradient-variance[features=4]/qfl[initial=uniform]@3/exponent_in_modalities/.2f} "
    "{5/gradient-variance[features=4]/qfl[initial=uniform]@3/exponent_in_modalities/interval} from 2 to 64",
    "the variance is {5/gradient-variance[features=4]#64/qfl[initial=uniform]@3/gradient_variance_log2/2^} (",
    "between 1 and 8: {5/gradient-variance[features=4]#8/qfl[initial=uniform]@8/decay_per_degree/.2f} bits per P "
    "{5/gradient-variance[features=4]#8/qfl[initial=uniform]@8/decay_per_degree/interval}",
    "{5/gradient-variance[features=1]/qfl[initial=small;locality=1]@3/decay_per_qubit/lost} bits per qubit instead of "
    "{5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost}",
    "they hurt ({5/gradient-variance[features=1]/qfl[initial=small]@3/decay_per_qubit/lost}, init",
    "uniform {5/remedies/qfl[blocks=2;initial=uniform]@3/accuracy/.3f}, identity blocks "
    "{5/remedies/qfl[blocks=2;initial=identity]@3/accuracy/.3f}, layer by layer "
    "{5/remedies/qfl[blocks=2;initial=layerwise]@3/accuracy/.3f}, small angles "
    "{5/remedies/qfl[blocks=2;initial=small]@3/accuracy/.3f}",
    f"At {qubits(NOISY.max(), 2)} qubits and P = 1, accuracy is "
    f"{{{NOISE};rate=0.001]/{NOISELESS}@1/accuracy/.3f}} at 1e-3, "
    f"{{{NOISE};rate=0.003]/{NOISELESS}@1/accuracy/.3f}} at 3e-3, "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@1/accuracy/.3f}} at 1e-2 and "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@1/accuracy/.3f}} at 3e-2",
    f"log10 {{{NOISE}]/{NOISELESS}@1/break_even_lmf/±2}}, {{{NOISE}]/{NOISELESS}@1/break_even_gcn/±2}}; "
    f"{{{NOISE}]/{NOISELESS}@3/break_even_lmf/±2}}, {{{NOISE}]/{NOISELESS}@3/break_even_gcn/±2}})",
    f"({{5/noise[channel=phase_damping]/{NOISELESS}@1/break_even_lmf/±2}}, "
    f"{{5/noise[channel=phase_damping]/{NOISELESS}@1/break_even_gcn/±2}} at P = 1)",
    f"With its last epochs at 1 % it has {{{NOISE};rate=0.01]/qfl[trained=noisy]@1/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@1/accuracy/.3f}} at P = 1, "
    f"{{{NOISE};rate=0.01]/qfl[trained=noisy]@2/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@2/accuracy/.3f}} at P = 2; at 3 % "
    f"{{{NOISE};rate=0.03]/qfl[trained=noisy]@1/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@1/accuracy/.3f}}, and "
    f"{{{NOISE};rate=0.03]/qfl[trained=noisy]@2/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@2/accuracy/.3f}}; at 10 % nothing",
    f"has {{{NOISE};rate=0.01]/{HEAD}@1/accuracy/.3f}} and {{{NOISE};rate=0.01]/{HEAD}@2/accuracy/.3f}} at 1 %, "
    f"{{{NOISE};rate=0.03]/{HEAD}@1/accuracy/.3f}} and {{{NOISE};rate=0.03]/{HEAD}@2/accuracy/.3f}} at 3 %",
    "A circuit of {5/device[processor=rainbow;shots=exact]/qfl@1/contraction.modalities/d} modalities and P = 1 keeps "
    "{5/device[processor=rainbow;shots=exact]/qfl@1/contraction/%} of its expectation values on rainbow and "
    "{5/device[processor=weber;shots=exact]/qfl@1/contraction/%} on weber; accuracy falls from "
    "{5/device[processor=noiseless;shots=exact]/qfl@1/accuracy/.2f} to "
    "{5/device[processor=rainbow;shots=exact]/qfl@1/accuracy/.2f} and "
    "{5/device[processor=weber;shots=exact]/qfl@1/accuracy/.2f}",
    "{5/device[processor=noiseless;shots=1000]/qfl@1/accuracy/.3f} against "
    "{5/device[processor=noiseless;shots=exact]/qfl@1/accuracy/.3f} exact without noise; with 100 it is "
    "{5/device[processor=noiseless;shots=100]/qfl@1/accuracy/.3f}",
    "lose more: {5/device[processor=rainbow;shots=100]/qfl@1/accuracy/.3f} of "
    "{5/device[processor=rainbow;shots=exact]/qfl@1/accuracy/.3f} on rainbow, "
    "{5/device[processor=weber;shots=100]/qfl@1/accuracy/.3f} of "
    "{5/device[processor=weber;shots=exact]/qfl@1/accuracy/.3f} on weber",
]


def best_fits():
    """The highest R² of QFL with P at least the degree, whatever P and blocks, by modalities, degree and form."""
    fits = rows("table3", "polynomial.*", r"qfl(\[blocks=\d\])?", "r2")
    fits["option_degree"] = fits["option_degree"].astype(int)
    enough = fits[fits["degree"] >= fits["option_degree"]]
    return enough.groupby(["modalities", "option_degree", "option_form"])["mean"].max()


@holds(PAGE)
def test_the_findings_say_which_targets_the_searches_reach():
    fits = best_fits()
    missed = fits[fits < 0.999]
    assert list(missed.index) == [(3, 5, "sum"), (4, 3, "sum"), (4, 5, "sum")]
    profile = table3.PROFILES["default"]
    yield f"Of {len(fits)} targets of degree {min(profile.targets)} to {max(profile.targets)} over two, three and four"
    yield f"searches from {profile.qfl_starts} starts reach {len(fits) - len(missed)} (R² of 0.999 or more)"


@holds(PAGE)
def test_the_findings_say_where_one_block_is_enough():
    fits = rows("table3", "polynomial.*", "qfl", "r2")
    fits["target"] = fits["option_degree"].astype(int)
    best = fits[fits["degree"] >= fits["target"]].groupby(["modalities", "target", "option_form"])["mean"].max()
    missed = {(modalities, degree) for modalities, degree, _ in best[best < 0.999].index}
    assert min(modalities for modalities, _ in missed) == 3
    yield f"over two modalities and up to degree {min(d for m, d in missed if m == 3) - 1} over three"


@holds(PAGE)
def test_the_findings_say_how_large_sums_of_frequencies_are():
    spectra = rows("table3", "spectrum", "qfl", "total_degree")
    assert (spectra["mean"] == spectra["degree"]).all()
    assert (spectra[["ci95_low", "ci95_high"]].eq(spectra["mean"], axis=0)).all(axis=None)
    yield f"is exactly P, for P = {spectra['degree'].min()} to {spectra['degree'].max()} (Table 3, spectrum)"


@holds(PAGE)
def test_the_findings_say_that_training_finds_the_least_error():
    for queries in range(1, 9):
        error, bound = (
            row("table3", "discrimination", "qfl", metric, queries)["mean"] for metric in ("error", "error_bound")
        )
        assert abs(error - bound) < 1e-4
        assert queries < 6 or error < 1e-6
    yield "at five, below 1e-6 at six"


@holds(PAGE)
def test_the_findings_say_how_all_was_trained():
    for table in ("table1", "table2", "table4", "table6"):
        frame = TABLES[table]
        assert set(frame[frame["learning_rate"].notna()]["seeds"]) == {20}
    yield "Tables 1, 2, 4 and 6 have 20 seeds and tuned learning rates"
    profile = table4.PROFILES["default"]
    yield f"with more than {profile.protocol.epochs} or {profile.few_shot.epochs} epochs"
    yield f"MNIST and CIFAR-10 have {profile.samples:,} training images"
    yield f"All had {ablations.PROFILES['default'].short.epochs} epochs and one learning rate"


@holds(PAGE)
def test_the_findings_say_where_noise_breaks_even():
    def rates(channel, degree):
        place = f"noise[channel={channel}]"
        found = [row("table5", place, NOISELESS, f"break_even_{name}", degree)["mean"] for name in ("lmf", "gcn")]
        return [10**exponent for exponent in found]

    one, three, damping = rates("depolarizing", 1), rates("depolarizing", 3), rates("phase_damping", 1)
    assert {f"{100 * rate:.1f}" for rate in three} == {"0.3"}
    yield f"at {100 * one[0]:.1g} % and {100 * one[1]:.1g} % for P = 1, and at about 0.3 % for P = 3"
    assert [round(other / rate) for other, rate in zip(damping, one, strict=True)] == [4, 4]
    yield "Phase damping is borne four times better"


@holds(PAGE)
def test_the_findings_say_how_many_gates_twelve_modalities_need():
    place = r"device-circuit\[features=4;gates=sqrt_iswap;processor=(rainbow|weber)\]"
    gates = rows("table5", place, "qfl", "two_qubit_gates")
    assert set(gates["modalities"]) == {12}
    (hundreds,) = set(gates.query("degree == 3")["mean"].round(-2))
    yield f"12 modalities at P = 3 need about {hundreds:.0f} (device-circuit)"


@holds(PAGE)
def test_the_findings_say_how_sure_accuracy_is_with_noise_and_on_devices():
    def points(*places):
        """Half of the widest interval of an accuracy."""
        found = pd.concat([rows("table5", place, "qfl.*", "accuracy") for place in places])
        return round(100 * ((found["ci95_high"] - found["ci95_low"]) / 2).max())

    assert points("noise.*") == points(r"device\[processor=weber.*") == 6
    assert points(r"device\[processor=noiseless.*") == 1
    yield "to a point or two, and to six where it falls. So are devices, to one point without noise and to six on weber"


def interval(table, dataset, fusion, degree):
    """That of an accuracy."""
    found = row(table, dataset, fusion, "accuracy", degree)
    return pd.Interval(found["ci95_low"], found["ci95_high"], closed="both")


def test_what_the_findings_say_of_parts_and_noise_is_seen_in_intervals():
    def measured(dataset, measurement):
        return interval("table5", dataset, f"qfl[measurement={measurement}]", 3)

    speech, digits = "japanese-vowels", "mfeat"
    assert measured(speech, "random_pauli").left > measured(speech, "pauli_plane").right
    assert measured(digits, "random_pauli").left > measured(digits, "computational").right
    for dataset in (speech, digits):
        assert measured(dataset, "pauli_plane").overlaps(measured(dataset, "computational"))
    changes = ["", *(f"[{change}]" for change in ("entangler=ring", "entangler=brick", "blocks=2", "blocks=3"))]
    for change in changes:
        assert (
            interval("table5", speech, f"qfl{change}", 3).left
            > row("table5", speech, "qfl[signal=rz]", "accuracy", 3)["mean"]
        )
    for change in ("", "[signal=rx]"):
        about_z = interval("table5", speech, "qfl[signal=rz]", 3)
        assert interval("table5", speech, f"qfl{change}", 3).left > about_z.right
    for degree in (1, 2):
        for rate, brings in ((0.01, True), (0.03, True), (0.1, False)):
            noisy, noiseless = (
                interval("table5", f"noise[channel=depolarizing;rate={rate}]", f"qfl[trained={how}]", degree)
                for how in ("noisy", "noiseless")
            )
            assert (noisy.left > noiseless.right) == brings


@holds(PAGE)
def test_the_findings_say_what_saturated_inputs_lose():
    scales = [f"qfl[scale={scale}pi]" for scale in ("0.1", "0.25", "0.5", "1")]
    lost = [
        100 * (tanh - saturated)
        for tanh, saturated in (
            [row("table5", f"encoding[inputs={how}]", scale, "accuracy", 2)["mean"] for how in ("tanh", "saturated")]
            for scale in scales
        )
    ]
    yield f"lose {min(lost):.0f} to {max(lost):.0f} points up to 1 pi"


@holds(PAGE)
def test_the_findings_say_where_qfl_is_worse_in_table_1():
    plain = compared_in("table1").query("degree == 3 and baseline in ['control', 'concat', 'gated']")
    worse = {(row.dataset, row.baseline) for row in plain[plain["word"] == "worse"].itertuples()}
    plain_ones = ("control", "concat", "gated")
    assert worse == {*itertools.product(("japanese-vowels", "mfeat"), plain_ones)}
    assert (plain["word"].isin(["worse", "undecided"])).all() and len(plain) == 12
    yield "The other six of these twelve comparisons are *undecided*"


@holds(PAGE)
def test_the_findings_say_where_depth_helps():
    means = TABLES["table1"].query("fusion == 'qfl' and metric in ['accuracy', 'mae']").groupby("dataset")["mean"]
    rising = {dataset for dataset, deeper in means if deeper.is_monotonic_increasing}
    assert rising == {"japanese-vowels", "traffic-detectors"}
    yield "accuracy rises on japanese-vowels alone; on traffic-detectors the error rises"


@holds(PAGE)
def test_the_findings_say_beside_what_qfl_stands_in_table_2():
    compared = comparisons_of("table2").query("degree == 3")
    first = compared["metric"] == compared["dataset"].map({"ludb": "roc_auc", "los-loop": "mae"}).fillna("accuracy")
    compared = compared[first]

    def beside(dataset, modalities, word):
        found = compared.query("dataset == @dataset and modalities == @modalities and word == @word")
        return set(found["baseline"])

    control = compared.query("baseline == 'control'")
    worse = control[control["word"] == "worse"]
    assert set(worse["dataset"]) == {"japanese-vowels"} and set(control["word"]) == {"worse", "undecided"}
    channels = " and ".join(map(str, sorted(worse["modalities"])))
    yield f"QFL is *worse* than the control on {channels} channels of speech, and *undecided* beside it on all else"
    assert beside("ludb", 12, "better") == {"lmf", "attention", "gcn", "mfb"}
    assert beside("ludb", 12, "undecided") == {"concat", "gated", "control", "lmf-unit"}
    yield "With 12 leads it is *better* than LMF, Attention, GCN and MFB, and *undecided* beside Concat, Gated,"
    assert beside("los-loop", 207, "worse") == {"concat", "attention", "gated", "lmf-unit"}
    persistence = row("table2", "los-loop", "persistence", "mae", None, 207)["mean"]
    trained = TABLES["table2"].query("dataset == 'los-loop' and modalities == 207 and metric == 'mae'")
    assert trained["mean"].min() == persistence
    leads = compared.query("dataset == 'ludb'")
    half = (leads["ci95_high"] - leads["ci95_low"]) / 2
    assert (round(100 * half.min()), round(100 * half.max())) == (2, 6)
    assert leads["share_of_seeds"].median() < 0.5


@holds(PAGE)
def test_the_findings_count_the_words_and_the_short_trainings_of_table_4():
    compared = compared_in("table4")
    words = compared["word"].value_counts()
    (better,) = {(row.dataset, row.modalities) for row in compared[compared["word"] == "better"].itertuples()}
    assert better == ("mfeat", 6)
    assert {*compared[compared["word"] == "better"]["baseline"]} == {"tfn", "lmf"}
    beaten = compared.query("dataset == 'mfeat' and modalities == 6 and word == 'worse'")
    assert {"mean", "product", "dempster"} <= {*beaten["baseline"]}
    said = f"Of {len(compared)} comparisons of accuracy {words['worse']} are *worse*, {words['undecided']} *undecided*"
    yield f"{said} and {words['better']} *better*"
    rows = TABLES["table4"].query("metric == 'accuracy'")
    yield f"{(rows['stopped_early'] < 0.9).sum()} of the {len(rows)} rows stopped early in less than 90 % of the runs"


@holds(PAGE)
def test_the_findings_count_the_words_of_table_6_and_say_where_qfl_is_better_or_worse():
    compared = compared_in("table6")
    words = pd.crosstab(compared["baseline"], compared["word"])
    plain, others = words.loc[["control", "concat", "gated"]], words.drop(["control", "concat", "gated"])
    assert (plain.sum(axis=1) == 52).all()
    counted = [f"{plain['better'][name]} {and_} {plain['worse'][name]}" for name, and_ in
               (("control", "are *better* and"), ("concat", "and"), ("gated", "and"))]  # fmt: skip
    said = f"Of 52 comparisons with the control {counted[0]} *worse*, of 52 with Concat {counted[1]}, of 52 with Gated "
    yield said + counted[2]
    total = others.sum()
    said = f"of the {total.sum()} comparisons with these and LMF with unit scale {total['better']} are *better*, "
    said += f"{total['worse']} *worse*, {total['equivalent']} *equivalent*, {total['undecided']} *undecided*"
    yield said

    def where(word, baselines=("control", "concat", "gated")):
        found = compared[(compared["word"] == word) & compared["baseline"].isin(baselines)]
        return {(row.dataset, row.baseline, *decode(row.options).items()) for row in found.itertuples()}

    better = {(dataset, *options) for dataset, _, *options in where("better")}
    samples = sorted(samples for _, (_, samples) in better)
    assert better == {("traffic-detectors", ("samples", each)) for each in samples}
    yield f"is on traffic-detectors with {', '.join(map(str, samples[:-1]))} or {samples[-1]} samples"
    assert {("traffic-detectors", each, ("samples", 20)) for each in ("control", "concat", "gated")} <= where("better")
    assert {("traffic-detectors", each, ("samples", 160)) for each in ("control", "concat")} <= where("better")
    assert {(each, "concat", ("samples", 20)) for each in ("japanese-vowels", "mfeat")} <= where("worse")
    assert {("mnist", "concat", ("missing", "each in turn")), ("mnist", "concat")} <= where("worse")
    undecided = where("undecided", ("gcn", "lmf-unit"))
    assert {("traffic-detectors", each, ("samples", 20)) for each in ("gcn", "lmf-unit")} <= undecided


@holds(PAGE)
def test_findings_have_the_figures_of_their_rows():
    return map(filled, FINDINGS)
