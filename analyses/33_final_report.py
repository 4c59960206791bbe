# %% [markdown]
# # 33 · Final report
#
# **Question** What does the study say, may one act on it, and on what conditions?
#
# **You get** one page for a reader with ten minutes: the decision first, then the model, the data,
# the limits, a model card, a data sheet and two checklists; every number looked up and linked to
# the page where it was found. The same as Markdown; a PDF comes from the browser's print.
#
# **You need** 01, 02, 03, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32
#
# **Status** complete

# %% Setup
import pandas as pd

from lib import report
from lib.config import load_config
from lib.data import load_data
from lib.report import final

config = load_config()

# %% Whether to make it though inputs do not hold (the option --draft) tags=["parameters"]
draft = False

# %% [markdown]
# ## The rules, fixed before anything is read
#
# An input holds when its run ended well, its findings are as that run left them, and everything it
# was made from has the contents it had then: script, modules, data, choices, the findings it
# needed. One that does not hold is named with the reason and the command that mends it, and there
# is no report. With `--draft` there is one, which says on its front what is wrong.

# %% Read what earlier analyses left
dataset = load_data(config.dataset, target=config.target)
inputs = final.check_inputs(config, dataset, draft=draft)

# %% [markdown]
# ## Does every input hold?

# %% The inputs and their states
states = pd.DataFrame(
    [
        {
            "analysis": f"{given.number} · {given.title}",
            "state": given.state,
            "findings": len(given.twin.get("findings", ())),
            "warnings": len(given.twin.get("warnings", ())),
            "values": len(given.twin.get("values", ())),
        }
        for given in inputs
    ]
)
report.table(states, title="What the report is made of")
report.finding(
    "Inputs that hold: {n_holding} of {n_wanted}.",
    n_holding=int((states["state"] == "valid").sum()),
    n_wanted=len(states),
)
for problem in inputs.problems:
    report.warning("{_problem}", _problem=problem.rstrip("."))
if inputs.notes:
    notes = pd.DataFrame({"note": list(inputs.notes)})
    report.table(notes, title="What to know beside", record=False)

# %% [markdown]
# ## What does the report say?
#
# The report says nothing new. Sentences with numbers are filled with recorded values; each number
# is a link to the section where it was found, and a table at the end names run, commit, data, seed
# and effort of each page. Figures are those of the executed notebooks. Words of the trade are
# explained at the end.

# %% Make it
made = final.make_report(inputs, dataset, config)
final.publish(made)
report.table(pd.DataFrame(made.key_figures), title="The figures of its summary")

# %% [markdown]
# ## How complete is it?
#
# REFORMS (Kapoor et al. 2024) asks for what makes a claim from machine learning checkable,
# TRIPOD+AI (Collins et al. 2024) for what a prediction model's users need to know. An item is
# answered when the record has what it asks for. Some only the authors can answer, such as who paid
# for the data.

# %% The items of both checklists
answers = ("answered", "partly", "open")
checklists = {"reforms": "REFORMS", "tripod": "TRIPOD+AI"}
items = pd.DataFrame(
    [
        {"checklist": name, **{state: made.counts[f"{key}_{state}"] for state in answers}}
        for key, name in checklists.items()
    ]
)
report.table(items, title="Items answered from the record, in part, or open for the authors")

# %% [markdown]
# ## Conclusion

# %% The decision, and what it rests on
report.finding("{decision}", decision=made.decision)
report.finding(
    "The report traces {n_traced} values, sentences and tables to {n_inputs} pages, and carries "
    "{n_warnings} warnings.",
    n_traced=made.counts["n_traced"],
    n_inputs=made.counts["n_inputs"],
    n_warnings=made.counts["n_warnings"],
)
if made.counts["n_champions"] > 1:
    report.warning(
        "The test set was opened for {n_champions} champions: the last of them was not chosen "
        "without it, and its score flatters.",
        n_champions=made.counts["n_champions"],
    )
report.finding(
    "Of {n_items} checklist items {n_open} are open for the authors, {n_partly} in part.",
    n_items=int(items[[*answers]].to_numpy().sum()),
    n_open=int(items["open"].sum()),
    n_partly=int(items["partly"].sum()),
)
assert draft or not made.is_draft
assert made.counts["n_traced"] > 0
