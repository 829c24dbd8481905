//! The minimum of a function of one number, without its derivative.

/// The place of a minimum between two ends: golden sections, and parabolas where they fit (Brent
/// 1973, "Algorithms for minimization without derivatives", chapter 5), with the tolerances of
/// scipy's `fminbound`, step for step.
pub(crate) fn minimum([mut a, mut b]: [f64; 2], f: &mut dyn FnMut(f64) -> f64) -> f64 {
    const TOLERANCE: f64 = 1.48e-8;
    let golden = 0.5 * (3.0 - 5.0_f64.sqrt());
    let mut x = a + golden * (b - a);
    let (mut w, mut v, mut fx) = (x, x, f(x));
    let (mut fw, mut fv) = (fx, fx);
    let (mut step, mut last) = (0.0_f64, 0.0_f64);
    for _ in 0..500 {
        let middle = 0.5 * (a + b);
        let near = 2.2e-16_f64.sqrt() * x.abs() + TOLERANCE / 3.0;
        if (x - middle).abs() <= 2.0 * near - 0.5 * (b - a) {
            break;
        }
        // a parabola through x, w and v
        let r = (x - w) * (fx - fv);
        let q = (x - v) * (fx - fw);
        let p = (x - v) * q - (x - w) * r;
        let q = 2.0 * (q - r);
        let (p, q) = if q > 0.0 { (-p, q) } else { (p, -q) };
        let fits = p.abs() < (0.5 * q * last).abs() && p > q * (a - x) && p < q * (b - x);
        if last.abs() > near && fits {
            last = step;
            step = p / q;
            let u = x + step;
            if u - a < 2.0 * near || b - u < 2.0 * near {
                step = if middle >= x { near } else { -near };
            }
        } else {
            last = if x >= middle { a - x } else { b - x };
            step = golden * last;
        }
        let u = x + if step >= 0.0 { step.max(near) } else { step.min(-near) };
        let fu = f(u);
        if fu <= fx {
            if u >= x {
                a = x
            } else {
                b = x
            }
            (v, fv, w, fw, x, fx) = (w, fw, x, fx, u, fu);
        } else {
            if u < x {
                a = u
            } else {
                b = u
            }
            if fu <= fw || w == x {
                (v, fv, w, fw) = (w, fw, u, fu);
            } else if fu <= fv || v == x || v == w {
                (v, fv) = (u, fu);
            }
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_found_wherever_it_lies() {
        for centre in [-30.0, -1.0, 0.3, 11.0] {
            let found = minimum([-40.0, 20.0], &mut |x| (x - centre).powi(2) + 5.0);
            assert!((found - centre).abs() < 1e-6, "{centre}: {found}");
        }
        // at an end, and where the function is no parabola
        assert!((minimum([2.0, 9.0], &mut |x| x) - 2.0).abs() < 1e-6);
        assert!((minimum([-9.0, 9.0], &mut |x| (x - 1.0).abs()) - 1.0).abs() < 1e-6);
    }

    /// Where `minimum` looks, in order.
    fn steps(ends: [f64; 2], f: fn(f64) -> f64) -> Vec<f64> {
        let mut steps = Vec::new();
        minimum(ends, &mut |x| {
            steps.push(x);
            f(x)
        });
        steps
    }

    /// scipy 1.17.1: the points that `fminbound(f, *ends, xtol=1.48e-8)` evaluates.
    #[test]
    fn every_step_is_that_of_scipy() {
        let quartic = steps([-3.0, 5.0], |x| (x - 0.3).powi(4) - 0.5 * x);
        let bumpy = steps([-1.0, 4.0], |x| (3.0 * x).cos() + 0.1 * x * x);
        let exponential = steps([-5.0, 6.0], |x| x.exp() - 2.0 * x);
        let near_an_end = steps([-3.0, 5.0], |x| (x - 4.5).powi(2));
        let corner = steps([-9.0, 9.0], |x| (x - 1.7).abs());
        let low = steps([2.0, 9.0], |x| x);
        let high = steps([2.0, 9.0], |x| -x);
        assert_eq!((low.len(), high.len()), (39, 36));
        let ends = [low[38], high[35]];
        let found = [&quartic[..], &bumpy, &exponential, &near_an_end, &corner, &ends];
        let wanted: [&[f64]; 6] = [&QUARTIC, &BUMPY, &EXPONENTIAL, &NEAR_AN_END, &CORNER, &ENDS];
        for (found, wanted) in found.into_iter().zip(wanted) {
            assert_eq!(found.len(), wanted.len(), "{found:?}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 3e-9, "{found}, not {wanted}");
            }
        }
    }

    const QUARTIC: [f64; 17] = [
        0.05572809,
        1.94427191,
        -1.11145618,
        0.2916580371,
        0.2805345098,
        0.9229003662,
        0.9594330925,
        0.7141915633,
        0.5527981177,
        0.7978068025,
        0.7931563292,
        0.8005715582,
        0.8000066066,
        0.799999156,
        0.8000000022,
        0.7999999854,
        0.800000019,
    ];

    const BUMPY: [f64; 11] = [
        0.9098300563,
        2.0901699437,
        0.1803398875,
        1.0673757086,
        1.060019163,
        1.0240000281,
        1.024421935,
        1.0244147407,
        1.024415039,
        1.0244150591,
        1.0244150188,
    ];

    const CORNER: [f64; 28] = [
        -2.1246117975,
        2.1246117975,
        4.750776405,
        1.528019125,
        0.6427999332,
        1.605907373,
        1.7491621779,
        1.7280617105,
        1.6921173454,
        1.6591880661,
        1.6977078422,
        1.7046326938,
        1.6995895126,
        1.7005332872,
        1.6998987464,
        1.700024871,
        1.7002190688,
        1.700022219,
        1.6999850947,
        1.6999521126,
        1.6999987775,
        1.7000017278,
        1.6999990365,
        1.7000000559,
        1.7000006945,
        1.6999999367,
        1.7000000186,
        1.6999999884,
    ];

    const EXPONENTIAL: [f64; 15] = [
        -0.7983738762,
        1.7983738762,
        -2.4032522475,
        0.333766507,
        0.4151406972,
        0.9091775756,
        1.2488203398,
        0.6856973015,
        0.6831583162,
        0.6925414417,
        0.6931613669,
        0.6931479141,
        0.6931471791,
        0.6931471943,
        0.6931472095,
    ];

    const NEAR_AN_END: [f64; 6] =
        [0.05572809, 1.94427191, 3.11145618, 4.5, 4.5000000717, 4.4999999283];

    const ENDS: [f64; 2] = [2.0000000455, 8.9999997992];
}
