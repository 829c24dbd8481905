//! Metrics against scikit-learn's values.

use serde_json::Value;
use slalom_tensor::Matrix;
use slalom_tests::golden::{cases, close, number, numbers, read};
use slalom_train::metrics::{
    Average, Confusion, MetricError, average_precision, brier, explained_variance, log_loss, mae,
    max_error, median_ae, mse, one_vs_rest, r2, rmse, roc_auc, top_k,
};

type Measure = fn(&[f64], &[f64], Option<&[f64]>) -> Result<f64, MetricError>;
type OfScores = fn(&[u32], &[f64], Option<&[f64]>) -> Result<f64, MetricError>;

#[test]
fn golden_metrics() {
    let golden = read("metrics.json");
    // one case, or a list of them
    let compared: usize = match golden["cases"].as_array() {
        Some(cases) => cases.iter().map(compared).sum(),
        None => compared(&golden),
    };
    assert!(compared > 0, "a file without values");
}

/// Weights, ties, one class only, classes that are absent, constants, numbers at the edges.
#[test]
fn golden_metrics_of_odd_cases() {
    let compared: usize = cases("options/metrics.json").iter().map(compared).sum();
    assert!(compared > 250, "{compared} values");
}

#[test]
#[should_panic(expected = "no measure stands for: mystery")]
fn golden_unknown_metric_fails() {
    compared(&serde_json::json!({"name": "a case", "mystery": 1.0}));
}

/// Compares every value of a case; how many there were.
fn compared(case: &Value) -> usize {
    let case = Case(case);
    let inputs = ["source", "name", "classes", "true", "predicted", "probabilities", "weights"];
    let inputs =
        [&inputs[..], &["binary_true", "binary_score", "regression_true", "regression_predicted"]]
            .concat();
    let mut compared = 0;
    for (key, wanted) in case.0.as_object().unwrap() {
        let place = format!("{} {key}", case.0["name"]);
        match key.as_str() {
            input if inputs.contains(&input) => continue,
            "confusion" => {
                let found = case.confusion().unwrap();
                let all =
                    (0..found.classes()).flat_map(|t| (0..found.classes()).map(move |p| (t, p)));
                let found: Vec<f64> = all.map(|(t, p)| found.count(t, p)).collect();
                slalom_tests::golden::assert_close(&place, &found, &numbers(wanted), 1e-12);
            }
            measure => {
                // where scikit-learn has no value, it is an error
                let (found, wanted) = (case.measured(measure), number(wanted));
                let same = match &found {
                    Ok(found) => wanted.is_finite() && close(*found, wanted, 1e-12),
                    Err(_) => wanted.is_nan(),
                };
                assert!(same, "{place}: found {found:?}, scikit-learn has {wanted}");
            }
        }
        compared += 1;
    }
    compared
}

/// Truth and predictions of one kind or several, and what scikit-learn makes of them.
struct Case<'a>(&'a Value);

impl Case<'_> {
    fn list(&self, key: &str) -> Vec<f64> {
        numbers(&self.0[key])
    }

    fn classes(&self, key: &str) -> Vec<u32> {
        self.list(key).iter().map(|&class| class as u32).collect()
    }

    fn weights(&self) -> Option<Vec<f64>> {
        self.0.get("weights").map(numbers)
    }

    fn confusion(&self) -> Result<Confusion, MetricError> {
        let (truth, predicted) = (self.classes("true"), self.classes("predicted"));
        let highest = truth.iter().chain(&predicted).max().copied().unwrap_or(0);
        let classes = self.0.get("classes").map_or(highest as usize + 1, |n| number(n) as usize);
        Confusion::new(classes, &truth, &predicted, self.weights().as_deref())
    }

    fn probabilities(&self) -> Matrix<f64> {
        let (all, samples) = (self.list("probabilities"), self.list("true").len());
        Matrix::from_vec(all.len() / samples, samples, all)
    }

    fn of_values(&self, measure: Measure) -> Result<f64, MetricError> {
        let (truth, found) = (self.list("regression_true"), self.list("regression_predicted"));
        measure(&truth, &found, self.weights().as_deref())
    }

    fn of_scores(&self, measure: OfScores, average: Option<Average>) -> Result<f64, MetricError> {
        let weights = self.weights();
        match average {
            None => measure(
                &self.classes("binary_true"),
                &self.list("binary_score"),
                weights.as_deref(),
            ),
            Some(average) => {
                let (truth, scores) = (self.classes("true"), self.probabilities());
                one_vs_rest(measure, average, &truth, scores.as_view(), weights.as_deref())
            }
        }
    }

    fn measured(&self, key: &str) -> Result<f64, MetricError> {
        let (measure, average) = match key.rsplit_once('_') {
            Some((measure, "micro")) => (measure, Some(Average::Micro)),
            Some((measure, "macro")) => (measure, Some(Average::Macro)),
            Some((measure, "weighted")) => (measure, Some(Average::Weighted)),
            _ => (key, None),
        };
        let of_classes = || (self.classes("true"), self.probabilities(), self.weights());
        match (measure, average) {
            ("precision", Some(average)) => Ok(self.confusion()?.precision(average)),
            ("recall", Some(average)) => Ok(self.confusion()?.recall(average)),
            ("f1", Some(average)) => Ok(self.confusion()?.f1(average)),
            ("roc_auc", average) => self.of_scores(roc_auc, average),
            ("average_precision", average) => self.of_scores(average_precision, average),
            ("brier", None) => self.of_scores(brier, None),
            ("accuracy", None) => Ok(self.confusion()?.accuracy()),
            ("balanced_accuracy", None) => Ok(self.confusion()?.balanced_accuracy()),
            ("mcc", None) => Ok(self.confusion()?.mcc()),
            ("kappa", None) => self.confusion()?.kappa(),
            ("log_loss", None) => {
                let (truth, probabilities, weights) = of_classes();
                log_loss(&truth, probabilities.as_view(), weights.as_deref())
            }
            ("mse", None) => self.of_values(mse),
            ("rmse", None) => self.of_values(rmse),
            ("mae", None) => self.of_values(mae),
            ("median_ae", None) => self.of_values(median_ae),
            ("r2", None) => self.of_values(r2),
            ("explained_variance", None) => self.of_values(explained_variance),
            ("max_error", None) => self.of_values(|truth, found, _| max_error(truth, found)),
            (top, None) if top.starts_with("top") => {
                let k = top[3..].parse().expect("top and a number");
                let (truth, probabilities, weights) = of_classes();
                top_k(k, &truth, probabilities.as_view(), weights.as_deref())
            }
            _ => panic!("a golden file has a key that no measure stands for: {key}"),
        }
    }
}
