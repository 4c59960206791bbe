# %% [markdown]
# # 02 · Data quality assessment
#
# **Question** Is this table fit for study, and would a good score on it be an honest one?
#
# **You get** coded quality checks (`Q…`) and a leak audit (`L…`), each with severity, counts, rows
# by number and advice; every rule of the table's schema with pass or fail; and a proposed schema
# to review.
#
# **You need** nothing
#
# **Status** complete

# %% Setup
from lib import checks, leakage, quality, report
from lib.config import load_config
from lib.data import load_data

config = load_config()

# %% Whether an error ends the run (the option --strict) tags=["parameters"]
strict = False

# %% [markdown]
# ## The data: training rows, and the features of the test rows
#
# The checks look at the training rows. The features of the test rows are only asked whether they
# repeat, drift or break a rule; their target stays locked. Loading has mended some things already
# (01 lists them); what it could not read with certainty comes up again here.

# %% Load the table
dataset = load_data(config.dataset, target=config.target)
train = dataset.train
report.finding("The training rows: {data}.", data=train.summary())

# %% [markdown]
# ## The rules, fixed before any check is made
#
# An **error** makes results wrong, a **warning** may, a **note** is good to know. A check stays
# silent unless what it sees is beyond chance: tests count below 1 %, after the correction of
# Benjamini and Hochberg where there are many; an outlier needs a gap and not only a long tail;
# copies have to be told from coincidence. "Not applicable" is an answer, with its reason.

# %% Ask every question
found = quality.assess(dataset, config=config)
report.table(checks.tabulate_coverage(found), title="The quality checks that were made")

# %% [markdown]
# ## What is wrong with the table?
#
# The gravest first. Rows are numbered within the training rows, from 0; their contents are not
# shown, as they may be personal. A finding is a question to whoever knows the source, not a
# command: the largest hospital of a country is an outlier and correct.

# %% What was found
findings = checks.tabulate_checks(found)
n_grave = {s: int((findings["severity"] == s).sum()) for s in checks.SEVERITIES}
report.finding(
    "Quality by weight: errors {n_errors}, warnings {n_warnings}, notes {n_notes}.",
    n_errors=n_grave["error"],
    n_warnings=n_grave["warning"],
    n_notes=n_grave["note"],
)
if len(findings):
    report.table(findings, title="What the quality checks found")

# %% [markdown]
# ## Which cells are probably wrong?
#
# Cells that are spelt like another value of their column, that differ from what the other columns
# of their row say everywhere else, or that have another shape of digits and letters. Each is a
# suspicion with what the cell would read if it were right; columns take turns below.

# %% Suspect cells
cells = quality.tabulate_suspect_cells(quality.open_table(train, config))
report.finding(
    "Cells of categories, text and whole numbers that are probably wrong: {n_cells}.",
    n_cells=cells.attrs["total"],
)
if len(cells):
    report.table(cells, title="Cells that are probably wrong")

# %% [markdown]
# ## Which values are missing together?
#
# Columns that are always missing in the same rows have one cause: a form that was not sent, a
# sensor that was off. Little's test (Q02) says whether gaps fall where other columns are high or
# low; then dropping incomplete rows would bias the study. It cannot see gaps that depend on the
# missing value itself.

# %% Patterns of gaps
if train.X.isna().to_numpy().any():
    patterns = quality.compute_gap_patterns(quality.as_polars(train.X, train))
    report.table(patterns, title="The most frequent patterns of gaps")
else:
    report.finding("No feature has a gap.")

# %% [markdown]
# ## Would a good score be honest?
#
# A leak is knowledge that a model has in the study and will not have in use. The audit looks for
# features made from the target, copies across the split, identifiers and row order, overlap in
# time, groups that random folds would tear apart, and, by a null run on shuffled targets, for
# anything else that scores without a signal.

# %% Audit the leaks
leaks = leakage.audit(dataset, config=config)
report.table(checks.tabulate_coverage(leaks), title="The leak checks that were made")
leak_findings = checks.tabulate_checks(leaks)
n_leaks = int(leak_findings["severity"].isin(["error", "warning"]).sum())
report.finding("The leak audit raised {n_leaks} errors and warnings.", n_leaks=n_leaks)
if len(leak_findings):
    report.table(leak_findings, title="What the leak audit found")

# %% [markdown]
# ## Does the table keep its promises?
#
# The schema says in text what every column promises: its type, range, allowed values, gaps. Each
# run proposes one from the training rows; after review,
# `nox -s schema -- accept` puts it in `data/schemas/`, where people change it, and from then on
# every rule is checked here. A broken rule is an error: either the data or the rule is wrong.

# %% Rules of the schema
proposal = quality.write_schema(quality.propose_schema(dataset))
report.attach_text("schema.toml", proposal, title="The schema that this run proposes")
schema = quality.load_schema(dataset.name, config)
if schema is None:
    report.finding("There is no reviewed schema yet, so no rule was checked.")
else:
    rules = quality.tabulate_rules(dataset, schema)
    broken = rules[(rules[["training", "test"]] != "pass").any(axis=1)]
    report.finding(
        "{n_kept} of {n_rules} rules of the schema are kept.",
        n_kept=len(rules) - len(broken),
        n_rules=len(rules),
    )
    report.table(broken if len(broken) else rules.head(10), title="Rules (broken ones, if any)")

# %% [markdown]
# ## Conclusion
#
# Errors first, then warnings, one line a check; the tables above have all. What is mended at the
# source stays mended; what is mended in a notebook comes back with the next export.

# %% Findings by weight
everything = checks.lead_by_code([*leaks, *found])
for check, also in everything:
    where = f" in {check.column}" if check.column else ""
    report.warning(
        "{_code} {_title}{_where}: {_evidence}{_also}. {_advice}.",
        _code=check.code,
        _title=check.title,
        _where=where,
        _evidence=check.evidence.removesuffix("."),
        _also=also,
        _advice=(check.advice[:1].upper() + check.advice[1:]).removesuffix("."),
    )
if not everything:
    report.finding("Nothing stands in the way of modelling this table.")

# %% [markdown]
# **Next** 03 tests how features go with the target, 11 shows how far standard models get, 22
# whether the folds are the right ones for the groups and the time that were found here.

# %% What must hold
assert {check.code for check in found} == set(quality.QUESTIONS)
assert {check.code for check in leaks} == set(leakage.TITLES)
if strict:
    quality.check_no_errors([*leaks, *found])
