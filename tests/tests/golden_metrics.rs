//! Metrics against scikit-learn's values.

use slalom_tensor::Matrix;
use slalom_tests::golden::{close, number, numbers, read};
use slalom_train::metrics::{
    Average, Confusion, average_precision, brier, explained_variance, log_loss, mae, max_error,
    median_ae, mse, r2, rmse, roc_auc, top_k,
};

#[test]
fn every_value_is_scikit_learns() {
    let golden = read("metrics.json");
    let list = |key: &str| numbers(&golden[key]);
    let classes = |key: &str| list(key).iter().map(|&c| c as u32).collect::<Vec<u32>>();
    let truth = classes("true");
    let confusion = Confusion::new(3, &truth, &classes("predicted"), None).unwrap();
    let probabilities = Matrix::from_vec(3, truth.len(), list("probabilities"));
    let probabilities = probabilities.as_view();
    let (binary, score) = (classes("binary_true"), list("binary_score"));
    let (wanted, found) = (list("regression_true"), list("regression_predicted"));

    let mut compared = 0;
    for (key, value) in golden.as_object().unwrap() {
        let found = match key.as_str() {
            "source" | "true" | "predicted" | "probabilities" => continue,
            "binary_true" | "binary_score" => continue,
            "regression_true" | "regression_predicted" => continue,
            "confusion" => {
                let counts: Vec<f64> = (0..9).map(|i| confusion.count(i / 3, i % 3)).collect();
                assert_eq!(counts, numbers(value));
                compared += 1;
                continue;
            }
            "accuracy" => confusion.accuracy(),
            "balanced_accuracy" => confusion.balanced_accuracy(),
            "mcc" => confusion.mcc(),
            "kappa" => confusion.kappa().unwrap(),
            "log_loss" => log_loss(&truth, probabilities, None).unwrap(),
            "top2" => top_k(2, &truth, probabilities, None).unwrap(),
            "roc_auc" => roc_auc(&binary, &score, None).unwrap(),
            "average_precision" => average_precision(&binary, &score, None).unwrap(),
            "brier" => brier(&binary, &score, None).unwrap(),
            "mse" => mse(&wanted, &found, None).unwrap(),
            "rmse" => rmse(&wanted, &found, None).unwrap(),
            "mae" => mae(&wanted, &found, None).unwrap(),
            "median_ae" => median_ae(&wanted, &found, None).unwrap(),
            "r2" => r2(&wanted, &found, None).unwrap(),
            "explained_variance" => explained_variance(&wanted, &found, None).unwrap(),
            "max_error" => max_error(&wanted, &found).unwrap(),
            averaged => match averaged.split_once('_') {
                Some(("precision", how)) => confusion.precision(average(how)),
                Some(("recall", how)) => confusion.recall(average(how)),
                Some(("f1", how)) => confusion.f1(average(how)),
                _ => panic!("metrics.json has a key that no measure stands for: {key}"),
            },
        };
        let wanted = number(value);
        assert!(close(found, wanted, 1e-12), "{key}: found {found}, scikit-learn has {wanted}");
        compared += 1;
    }
    assert_eq!(compared, 26);
}

fn average(how: &str) -> Average {
    match how {
        "micro" => Average::Micro,
        "macro" => Average::Macro,
        "weighted" => Average::Weighted,
        other => panic!("unknown average {other}"),
    }
}
