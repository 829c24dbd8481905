//! Weights go to PyTorch and NumPy and come from there: the same predictions, the same bits.

use std::path::PathBuf;

use slalom::layers::{Embedding, EmbeddingTable};
use slalom::prelude::*;
use slalom_tests::python::{printed, python};
use slalom_train::checkpoint::{SystemDisk, write_file};
use slalom_train::weights::{from_npz, from_safetensors, to_npz, to_safetensors};

fn network() -> (Network<f32>, Vec<f32>, Matrix<f32>) {
    let layers = [Dense::linear(5).into(), Activation::Tanh.into(), Dense::linear(3).into()];
    let network = Network::<f32>::new(4, layers).unwrap();
    let params = network.init(3).iter().map(|w| w + 0.01).collect();
    let x = Matrix::from_fn(4, 6, |i, j| (i as f32 - 1.5) * (j as f32 + 0.5) / 3.0);
    (network, params, x)
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

#[test]
fn pytorch_loads_the_file_and_predicts_the_same() {
    let Some(python) = python(&["torch", "safetensors.torch"]) else { return };
    let (network, params, x) = network();
    let folder = tempfile::tempdir().unwrap();
    let [there, back] = ["there", "back"].map(|name| folder.path().join(name));
    let file = to_safetensors(&network, &params).unwrap();
    write_file(&mut SystemDisk::default(), &there, &file).unwrap();
    let script = "
import sys, torch
from safetensors.torch import load_file, save_model
net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
net.load_state_dict(load_file(sys.argv[1]))
x = torch.tensor([[(i - 1.5) * (j + 0.5) / 3.0 for i in range(4)] for j in range(6)])
print(*net(x).flatten().tolist())
with torch.no_grad():
    for p in net.parameters(): p *= 2
save_model(net, sys.argv[2])
";
    let found = numbers(&printed(python, script, &[&there, &back]));
    let wanted = network.predict(&params, x.as_view(), &Threads::one()).unwrap();
    assert_eq!(found.len(), wanted.len());
    for (a, b) in found.iter().zip(wanted.iter()) {
        assert!((a - f64::from(*b)).abs() < 1e-6, "PyTorch predicts {a}, slalom {b}");
    }
    let doubled: Vec<f32> = params.iter().map(|w| 2.0 * w).collect();
    assert_eq!(from_safetensors(&network, &std::fs::read(back).unwrap()).unwrap(), doubled);
}

#[test]
fn numpy_loads_the_file_and_what_it_saves_is_read() {
    let Some(python) = python(&["numpy"]) else { return };
    let (network, params, _) = network();
    let folder = tempfile::tempdir().unwrap();
    let [there, back, packed] =
        ["there.npz", "back.npz", "packed.npz"].map(|name| folder.path().join(name));
    let file = to_npz(&network, &params).unwrap();
    write_file(&mut SystemDisk::default(), &there, &file).unwrap();
    let script = "
import sys, numpy as np
arrays = dict(np.load(sys.argv[1]))
print(*arrays['0.weight'].flatten())
np.savez(sys.argv[2], **{k: np.ascontiguousarray(v) * 2 for k, v in arrays.items()})
np.savez_compressed(sys.argv[3], **arrays)
";
    let found = numbers(&printed(python, script, &[&there, &back, &packed]));
    let weight = network.part("0.weight", &params).unwrap();
    let wanted: Vec<f64> = weight.transpose().iter().map(|w| f64::from(*w)).collect();
    assert_eq!(found.len(), wanted.len());
    assert!(found.iter().zip(&wanted).all(|(a, b)| *a as f32 == *b as f32), "{found:?} {wanted:?}");
    let doubled: Vec<f32> = params.iter().map(|w| 2.0 * w).collect();
    assert_eq!(from_npz(&network, &std::fs::read(back).unwrap()).unwrap(), doubled);
    let found = from_npz(&network, &std::fs::read(packed).unwrap()).unwrap();
    assert_eq!(found, params, "numpy.savez_compressed");
}

#[test]
fn an_embeddings_table_has_pytorchs_shape() {
    let Some(python) = python(&["torch", "numpy", "safetensors.torch"]) else { return };
    let embedding = Embedding { tables: vec![EmbeddingTable::new(0, 7, 3)] };
    let network = Network::<f32>::new(1, [embedding.into()]).unwrap();
    let params = network.init(3);
    let folder = tempfile::tempdir().unwrap();
    let names = ["it.safetensors", "it.npz", "back.safetensors", "back.npz", "fortran.npz"];
    let [tensors, arrays, back, back_arrays, fortran] = names.map(|name| folder.path().join(name));
    let disk = &mut SystemDisk::default();
    write_file(disk, &tensors, &to_safetensors(&network, &params).unwrap()).unwrap();
    write_file(disk, &arrays, &to_npz(&network, &params).unwrap()).unwrap();
    let script = "
import sys, torch, numpy as np
from safetensors.torch import load_file, save_file
table = torch.nn.Embedding(7, 3)
table.load_state_dict({'weight': load_file(sys.argv[1])['0.table0']})
array = np.load(sys.argv[2])['0.table0']
assert np.array_equal(array, table.weight.detach().numpy())
print(*table(torch.tensor([6, 0, 2])).flatten().tolist())
save_file({'0.table0': table.weight.detach() * 2}, sys.argv[3])
np.savez(sys.argv[4], **{'0.table0': array * 2})
np.savez(sys.argv[5], **{'0.table0': np.asfortranarray(array * 2)})
";
    let paths = [&tensors, &arrays, &back, &back_arrays, &fortran].map(PathBuf::as_path);
    let found = numbers(&printed(python, script, &paths));
    let codes = from_rows(&[[6.0], [0.0], [2.0]]);
    let wanted = network.predict(&params, codes.as_view(), &Threads::one()).unwrap();
    assert!(found.iter().zip(wanted.iter()).all(|(a, b)| *a as f32 == *b), "{found:?} {wanted}");
    assert_eq!(found.len(), 9);
    let doubled: Vec<f32> = params.iter().map(|w| 2.0 * w).collect();
    assert_eq!(from_safetensors(&network, &std::fs::read(back).unwrap()).unwrap(), doubled);
    for path in [back_arrays, fortran] {
        assert_eq!(from_npz(&network, &std::fs::read(path).unwrap()).unwrap(), doubled);
    }
}
