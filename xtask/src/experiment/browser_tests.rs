//! The page in a real browser: every plot is drawn, nothing falls off a phone's screen, and the
//! console stays silent.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Experiment;
use super::cell::{Done, Outcome, Results};
use super::findings::{Findings, Part, Published, Row, Verdict};
use super::plot::{Axis, Contours, Form, Plot, Series};
use super::report::{Section, page};

/// Measures every plot and the page's width, and leaves what it found in the title.
const PROBE: &str = "<script>
addEventListener('load', () => {
  const plots = [...document.querySelectorAll('svg')];
  const drawn = plots.filter(svg => {
    const box = svg.getBoundingClientRect();
    const marks = [...svg.querySelectorAll('polyline, circle, polygon')];
    const ink = marks.some(mark => mark.getBBox().width + mark.getBBox().height > 5);
    return box.width > 100 && box.height > 60 && ink && !svg.innerHTML.includes('NaN');
  });
  const fits = document.documentElement.scrollWidth <= innerWidth;
  const targets = [...document.querySelectorAll('nav a')];
  const linked = targets.every(a => document.querySelector(a.getAttribute('href')));
  document.title = `plots ${plots.length} drawn ${drawn.length} fits ${fits} linked ${linked}`;
});
</script></body>";

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|path| path.is_file()))
}

const ONE: Experiment = Experiment {
    name: "one",
    title: "Title of one",
    claim: "A claim, as long as claims are: it takes more than one line of a phone.",
    setup: "A set-up.",
    rule: "A rule.",
    tried: "A remedy.",
    cells: |_| Ok(Vec::new()),
    findings: |_| unreachable!("nothing runs"),
};
const TWO: Experiment = Experiment { name: "two", title: "Title of two", tried: "", ..ONE };

/// An experiment with every form of plot and numbers that diverged, and one that did not run.
pub(super) fn sections() -> [Section; 2] {
    let outcome = |seed: f64| {
        Outcome::default()
            .number("loss", 0.1 + seed)
            .number("diverged", f64::NAN)
            .curve("loss", [(1.0, 1.0 + seed), (2.0, 0.5), (3.0, f64::INFINITY)])
    };
    let cells = (0..3).map(|seed| Done {
        config: "a <b> & \"c\"".into(),
        seed,
        seconds: 1.0,
        outcome: outcome(seed as f64),
    });
    let results = Results { cells: cells.collect() };
    let config = results.configs()[0];
    let curve = results.curve(config, "loss").into_iter().map(|(x, y)| (x, y.mean, y.sd));
    let curve: Vec<_> = curve.collect();
    let mut contour = Plot::new("c", "Contours", Axis::linear("x"), Axis::linear("y"))
        .with(Series::line("path", [(-1.0, -1.0), (0.0, 0.5), (1.0, 1.0)]));
    contour.contours = Some(Contours { height: |x, y| x * x + y * y, levels: &[0.25, 1.0] });
    let plots = vec![
        Plot::new("a", "A < B", Axis::linear("x"), Axis::log("y"))
            .with(Series::new("line", Form::Line, curve.clone()))
            .with(Series::new("marked", Form::Marked, curve)),
        Plot::new("b", "Names", Axis::named("μ", &["0", "0.9"]), Axis::log("steps"))
            .with(Series::new("dots", Form::Dots, [(0.0, 1.0, 0.2), (1.0, 10.0, 20.0)])),
        contour,
    ];
    let near = |ours: &super::cell::Stat, p: &Published| (ours.mean - p.value).abs() < 1.0;
    let rows = (0..30)
        .map(|i| match i % 2 {
            0 => Row::measured(&results, config, "diverged"),
            _ => Row::compared(&results, config, "loss", Published::quoted(1.1), near),
        })
        .collect();
    let words = "in words".into();
    let parts = vec![Part::new("a part", true), Part::new("another", false)];
    let good = Findings { verdict: Verdict::ItDepends, parts, words, rows, plots };
    let section = |experiment: &'static Experiment, findings| Section {
        experiment,
        command: format!("cargo xtask experiment {}", experiment.name),
        cells: 3,
        seconds: 3.0,
        findings,
    };
    [section(&ONE, Ok(good)), section(&TWO, Err("no data".into()))]
}

fn sample() -> String {
    page("A page", "a machine", true, &sections()).unwrap()
}

/// Opens a page in a window of that width; its title, and what the browser logged.
fn open(browser: &Path, page: &str, width: u32, dark: bool) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, page.replace("</body>", PROBE)).unwrap();
    let mut command = Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--window-size={width},900"))
        .args(["--virtual-time-budget=5000", "--dump-dom"]);
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let output = command.arg(format!("file://{}", file.display())).output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let title = dom.split_once("<title>").and_then(|rest| rest.1.split_once("</title>"));
    let title = title.map(|parts| parts.0.to_string()).unwrap_or_default();
    (title, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_report_is_drawn_in_a_real_browser() {
    let Some(browser) = browser() else {
        println!("skipped: no chromium is installed, the report is not opened");
        return;
    };
    let page = sample();
    for (width, dark) in [(1200, false), (500, true)] {
        let (title, log) = open(&browser, &page, width, dark);
        assert_eq!(title, "plots 3 drawn 3 fits true linked true", "at {width} px: {log}");
        assert!(!log.contains("CONSOLE"), "{log}");
    }
}

#[test]
fn the_browser_test_can_fail() {
    let Some(browser) = browser() else {
        println!("skipped: no chromium is installed, the report is not opened");
        return;
    };
    let broken = sample()
        .replace("<polyline", "<gone")
        .replace("<circle", "<gone")
        .replace("<polygon", "<gone")
        .replace("<main>", "<main><script>console.error('loud')</script>");
    let (title, log) = open(&browser, &broken, 1200, false);
    assert!(title.starts_with("plots 3 drawn 0"), "{title}");
    assert!(log.contains("CONSOLE") && log.contains("loud"), "{log}");
}
