"""The report on a learned line: one HTML file with everything in it."""

from pathlib import Path

from gigatwin.app.learned.headline import Evidence, cards, source, verdict
from gigatwin.app.learned.sections import learned_sections
from gigatwin.app.report import page_html, write_page
from gigatwin.events.case_log import CaseLog
from gigatwin.learning.calibration.calibration import Calibration
from gigatwin.learning.check.holdout import Holdout
from gigatwin.learning.check.verification import Verification
from gigatwin.learning.learned import Learned


def learned_report_html(  # noqa: PLR0913 - what there may be to show
    learned: Learned,
    *,
    verification: Verification | None = None,
    holdout: Holdout | None = None,
    calibration: Calibration | None = None,
    guesses: tuple[str, ...] = (),
    log: CaseLog | None = None,
) -> str:
    """Return the report as the text of an HTML page that needs nothing else.

    Parameters
    ----------
    learned : Learned
        What was learned.
    verification : Verification, optional
        The learned line beside the log.
    holdout : Holdout, optional
        The learned line beside later cases.
    calibration : Calibration, optional
        What was fitted to the log as a whole.
    guesses : tuple of str
        What was guessed about the columns of the log; left out, as the log says.
    log : CaseLog, optional
        What was learned from: gives its length, its warnings, and the visits behind a change.
    """
    evidence = Evidence(verification, holdout, log)
    return page_html(
        "learning report",
        learned.factory.name,
        source(learned, log),
        top=verdict(verification) + cards(learned, evidence),
        parts=learned_sections(learned, evidence, calibration, guesses),
        reading="learned/reading.html",
    )


def write_learned_report(  # noqa: PLR0913 - what there may be to show
    path: str | Path,
    learned: Learned,
    *,
    verification: Verification | None = None,
    holdout: Holdout | None = None,
    calibration: Calibration | None = None,
    guesses: tuple[str, ...] = (),
    log: CaseLog | None = None,
) -> None:
    """Write the report on a learned line as one HTML file that opens without a network.

    The file appears when it is complete; a failure leaves what was there before.

    Parameters
    ----------
    path : str or path
        File to write, about 5 MB.
    learned : Learned
        What was learned.
    verification : Verification, optional
        The learned line beside the log.
    holdout : Holdout, optional
        The learned line beside later cases.
    calibration : Calibration, optional
        What was fitted to the log as a whole.
    guesses : tuple of str
        What was guessed about the columns of the log; left out, as the log says.
    log : CaseLog, optional
        What was learned from: gives its length, its warnings, and the visits behind a change.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = learned_report_html(
        learned,
        verification=verification,
        holdout=holdout,
        calibration=calibration,
        guesses=guesses,
        log=log,
    )
    write_page(path, text)
