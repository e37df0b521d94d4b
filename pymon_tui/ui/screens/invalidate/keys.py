"""The keys of the screens of invalidation, and of the list of keys. They stand here, and not with what they do, so that
the keymap can be checked before the first paint: the screens themselves bring the client with them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

EVERYWHERE: list[BindingType] = [
    Binding("ctrl+q,ctrl+c", "app.quit", "Quit", show=False, id="invalidation.quit", tooltip="Leave the program"),
    Binding("question_mark", "help", "Help", id="invalidation.help", tooltip="The keys that work here"),
    Binding("tab", "app.focus_next", "Next", show=False, id="invalidation.next", tooltip="To the next field"),
    Binding("shift+tab", "app.focus_previous", "Before", show=False, id="invalidation.before", tooltip="And back"),
]

FORM: list[BindingType] = [
    Binding("enter", "plan", "Plan", id="form.plan", tooltip="Look at what would go; nothing is removed"),
    Binding("escape", "dismiss(None)", "Back", id="form.back", tooltip="Back to the monitor"),
    Binding("down", "app.focus_next", "Next field", id="form.next", tooltip="To the next field"),
    Binding("up", "app.focus_previous", "Field before", show=False, id="form.before", tooltip="To the field before"),
    Binding("ctrl+n", "clear", "Clear", id="form.clear", tooltip="Begin with an empty form"),
]

PLAN: list[BindingType] = [
    Binding("enter", "go", "Run", id="plan.run", tooltip="Carry the plan out, once that is confirmed"),
    Binding("d", "dry_run", "Dry run", id="plan.dry_run", tooltip="Do everything but the removing"),
    Binding("m", "mode", "Mode", id="plan.mode", tooltip="Remove, or let them expire over some time"),
    Binding(
        "u",
        "undo",
        "Undo on/off",
        id="plan.undo",
        tooltip="Keep what is removed so that it can be taken back, or don't",
    ),
    Binding("p", "preset", "Preset", id="plan.preset", tooltip="Choose a preset, or another pattern"),
    Binding("r", "again", "Again", id="plan.again", tooltip="Look once more"),
    Binding("J", "journal", "Journal", show=False, id="plan.journal", tooltip="The runs until now"),
    Binding(
        "escape,n,q", "back", "Back", id="plan.back", tooltip="Back to the form; a plan that is being made is given up"
    ),
]

RUN: list[BindingType] = [
    Binding("space", "pause", "Pause", id="run.pause", tooltip="Name no more keys until it is pressed again"),
    Binding("y", "go_on", "Go on", id="run.go_on", tooltip="Yes: more keys may go than the plan found"),
    Binding("c", "cancel", "Cancel", id="run.cancel", tooltip="End here, with an account of what was done"),
    Binding("n", "no", "End", id="run.no", tooltip="No: the run ends here"),
    Binding("ctrl+c", "cancel", "Cancel", show=False, id="run.interrupt", tooltip="The same as cancel"),
    Binding("ctrl+c", "app.quit", "Quit", show=False, id="run.quit", tooltip="Leave the program, once it has ended"),
    Binding("u", "undo", "Undo", id="run.undo", tooltip="Bring the keys back"),
    Binding("enter", "details", "Details", id="run.details", tooltip="The whole account"),
    Binding("j,J", "dismiss('journal')", "Journal", id="run.journal", tooltip="The runs until now"),
    Binding("escape,q", "leave", "Leave", id="run.leave", tooltip="To the monitor; a run is cancelled if you say so"),
]

UNDO: list[BindingType] = [
    Binding("y", "start", "Yes", id="undo.start", tooltip="Bring the keys back"),
    Binding("r", "replace", "Replace", id="undo.replace", tooltip="Replace keys that are there by now, or leave them"),
    Binding("c,ctrl+c", "cancel", "Cancel", id="undo.cancel", tooltip="End here, with an account of what was done"),
    Binding("escape,n,enter,q", "leave", "Close", id="undo.leave", tooltip="Back"),
    Binding("ctrl+c", "app.quit", "Quit", show=False, id="undo.quit", tooltip="Leave the program, while none goes on"),
]

JOURNAL: list[BindingType] = [
    Binding("enter", "details", "Details", id="journal.details", tooltip="All that is known of the run"),
    Binding("u", "undo", "Undo", id="journal.undo", tooltip="Bring back what the run removed"),
    Binding("r", "resume", "Resume", id="journal.resume", tooltip="Go on with a run that was cut off"),
    Binding("m", "more", "More", id="journal.more", tooltip="Read older runs, too"),
    Binding("escape,q,J", "dismiss(None)", "Close", id="journal.close", tooltip="Back"),
]

LIST: list[BindingType] = [
    Binding("enter", "facts", "Details", id="keys.details", tooltip="What is known of the key, but for its value"),
    Binding("m", "more", "More", id="keys.more", tooltip="Look for more keys"),
    Binding("y", "copy", "Copy", id="keys.copy", tooltip="Copy the key's name through the terminal (OSC 52)"),
    Binding("i", "invalidate", "Invalidate", id="keys.invalidate", tooltip="Remove this key, after a preview"),
    Binding("I", "invalidate_all", "all", id="keys.invalidate_all", tooltip="Remove the pattern's keys, previewed"),
    Binding("r", "again", "Again", id="keys.again", tooltip="List them anew, from the beginning"),
    Binding("escape,q", "dismiss(None)", "Back", id="keys.back", tooltip="End the listing, back to the monitor"),
]

QUESTION: list[BindingType] = [
    Binding("y", "answer(True)", "Yes", id="question.yes", tooltip="Do it"),
    Binding("n,escape,enter,q", "answer(False)", "No", id="question.no", tooltip="Leave everything as it is"),
]
