//! A line search that ends at a point where the strong Wolfe conditions hold.
//!
//! ```text
//! φ(t) ≤ φ(0) + c₁·t·φ'(0)       far enough down
//! |φ'(t)| ≤ −c₂·φ'(0)            and flat enough
//! ```
//!
//! Reference: Nocedal, Wright, *Numerical optimization*, 2nd edition, algorithms 3.5 and 3.6.

/// A point on the line: how far along, the value there and the slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) t: f64,
    pub(super) value: f64,
    pub(super) slope: f64,
}

/// The two constants, and how many evaluations may be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wolfe {
    pub(super) c1: f64,
    pub(super) c2: f64,
    pub(super) evaluations: u64,
}

impl Wolfe {
    /// Searches from `start`, where the slope is negative, trying `first` first. Gives the point
    /// where both conditions hold, or else the lowest one that is far enough down: `start` itself
    /// where none is.
    pub(super) fn search(
        &self,
        start: Point,
        first: f64,
        mut line: impl FnMut(f64) -> Point,
    ) -> Point {
        let (mut before, mut point) = (start, line(first));
        for tried in 1..self.evaluations {
            if !self.far_down(start, point) || point.value >= before.value {
                return self.zoom(start, before, point, tried, line);
            }
            if self.flat(start, point) {
                return point;
            }
            if point.slope >= 0.0 {
                return self.zoom(start, point, before, tried, line);
            }
            let next = cubic_minimum(before, point).unwrap_or(f64::INFINITY);
            let next = next.clamp(point.t + 0.01 * (point.t - before.t), 10.0 * point.t);
            (before, point) = (point, line(next));
        }
        if self.far_down(start, point) { point } else { before }
    }

    /// Narrows the interval between `low`, the lowest point that is far enough down, and `high`.
    fn zoom(
        &self,
        start: Point,
        mut low: Point,
        mut high: Point,
        spent: u64,
        mut line: impl FnMut(f64) -> Point,
    ) -> Point {
        for _ in spent..self.evaluations {
            let (left, right) = (low.t.min(high.t), low.t.max(high.t));
            let margin = 0.1 * (right - left);
            let middle = (left + right) / 2.0;
            let t = cubic_minimum(low, high).unwrap_or(middle);
            let point = line(t.clamp(left + margin, right - margin));
            if !self.far_down(start, point) || point.value >= low.value {
                high = point;
            } else if self.flat(start, point) {
                return point;
            } else {
                if point.slope.signum() == (high.t - low.t).signum() {
                    high = low;
                }
                low = point;
            }
        }
        low
    }

    fn far_down(&self, start: Point, point: Point) -> bool {
        point.value <= start.value + self.c1 * point.t * start.slope
    }

    fn flat(&self, start: Point, point: Point) -> bool {
        point.slope.abs() <= -self.c2 * start.slope
    }
}

/// Where the cubic through two points with their slopes has its minimum, if it has one.
fn cubic_minimum(a: Point, b: Point) -> Option<f64> {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.t - b.t);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt().copysign(b.t - a.t);
    let t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    t.is_finite().then_some(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WOLFE: Wolfe = Wolfe { c1: 1e-4, c2: 0.9, evaluations: 25 };

    /// A value and a slope for each t.
    type Line = fn(f64) -> (f64, f64);

    fn search(wolfe: Wolfe, first: f64, f: Line) -> (Point, u64) {
        let point = |t: f64| {
            let (value, slope) = f(t);
            Point { t, value, slope }
        };
        let mut spent = 0;
        let found = wolfe.search(point(0.0), first, |t| {
            spent += 1;
            point(t)
        });
        (found, spent)
    }

    #[test]
    fn a_cubic_is_minimised_exactly() {
        let f = |t: f64| Point { t, value: t * t * t - 3.0 * t, slope: 3.0 * t * t - 3.0 };
        for (a, b) in [(0.0, 3.0), (3.0, 0.0), (0.5, 0.9), (2.0, 1.5)] {
            assert!((cubic_minimum(f(a), f(b)).unwrap() - 1.0).abs() < 1e-12, "{a} {b}");
        }
        let line = |t: f64| Point { t, value: -t, slope: -1.0 };
        assert_eq!(cubic_minimum(line(0.0), line(1.0)), None);
    }

    #[test]
    fn both_conditions_hold_where_it_ends() {
        let functions: [Line; 4] = [
            |t| ((t - 3.0).powi(2), 2.0 * (t - 3.0)),
            |t| (t.powi(4) - t, 4.0 * t.powi(3) - 1.0),
            |t| ((-t).exp() + 0.01 * t * t, -(-t).exp() + 0.02 * t),
            |t| (-t / (t * t + 2.0), (t * t - 2.0) / (t * t + 2.0).powi(2)),
        ];
        for f in functions {
            for c2 in [0.9, 0.1, 0.01] {
                for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
                    let wolfe = Wolfe { c2, ..WOLFE };
                    let (found, _) = search(wolfe, first, f);
                    let (value, slope) = f(0.0);
                    assert!(found.value <= value + 1e-4 * found.t * slope, "{found:?}");
                    assert!(found.slope.abs() <= -c2 * slope, "{found:?} from {first}, c₂ {c2}");
                }
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_are_stepped_back_from() {
        let (found, _) = search(WOLFE, 100.0, |t| {
            if t > 2.0 { (f64::NAN, f64::NAN) } else { ((t - 1.0).powi(2), 2.0 * (t - 1.0)) }
        });
        assert!(found.t > 0.0 && found.t < 2.0, "{found:?}");
    }

    /// Where the line falls as `−t` to 1 and as the parabola beyond, whose slope at 1 is −1 too and
    /// whose minimum is at `least`.
    fn line_then_parabola(t: f64, least: f64) -> (f64, f64) {
        if t <= 1.0 {
            return (-t, -1.0);
        }
        let curvature = 1.0 / (least - 1.0);
        let value = |t: f64| 0.5 * curvature * (t - least).powi(2);
        (value(t) - value(1.0) - 1.0, curvature * (t - least))
    }

    #[test]
    fn trials_keep_their_distance() {
        // from 1, beyond which the line seems to fall for ever, to 10 and on or back from there
        let functions: [(Line, f64); 4] = [
            (|t| line_then_parabola(t, 10.01), 10.09), // a minimum too near behind the trial
            (|t| line_then_parabola(t, 1.05), 1.9),    // and too near the ends of an interval
            (|t| line_then_parabola(t, 9.95), 9.1),
            (|t| if t <= 2.0 { (-t, -1.0) } else { (f64::NAN, f64::NAN) }, 5.5), // and none
        ];
        for (f, third) in functions {
            let mut trials = Vec::new();
            let point = |t: f64| Point { t, value: f(t).0, slope: f(t).1 };
            Wolfe { c1: 1e-6, c2: 1e-5, evaluations: 3 }.search(point(0.0), 1.0, |t| {
                trials.push(t);
                point(t)
            });
            assert_eq!(trials[..2], [1.0, 10.0]);
            assert!((trials[2] - third).abs() < 1e-9, "{trials:?}: {third} should be third");
        }
    }

    #[test]
    fn a_point_that_is_flat_enough_ends_the_search() {
        let (found, spent) = search(WOLFE, 2.9, |t| ((t - 3.0).powi(2), 2.0 * (t - 3.0)));
        assert_eq!((found.t, spent), (2.9, 1));
    }

    #[test]
    fn evaluations_are_bounded() {
        let (found, spent) = search(WOLFE, 1.0, |t| (-t, -1.0)); // falls for ever
        assert_eq!(spent, 25);
        assert!(found.value < -1.0);
        let (found, spent) = search(WOLFE, 1.0, |t| (t, -1.0)); // the slope lies
        assert_eq!((found.t, spent), (0.0, 25));
    }
}
