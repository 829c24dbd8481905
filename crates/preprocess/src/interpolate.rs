//! Interpolation along points in order, several of which may stand at the same place.

/// The middle between the line that comes from the left and the one that comes from the right;
/// they differ where several of `from` are equal.
pub(crate) fn middle(x: f64, from: &[f64], to: &[f64]) -> f64 {
    if x.is_nan() {
        return x;
    }
    0.5 * (below(x, from, to) + above(x, from, to))
}

/// The line through the last point at or below x.
pub(crate) fn below(x: f64, from: &[f64], to: &[f64]) -> f64 {
    if x.is_nan() {
        return x;
    }
    match from.partition_point(|&point| point <= x) {
        0 => to.first().copied().unwrap_or(x),
        n if n == from.len() => to[n - 1],
        n => line(x, [from[n - 1], from[n]], [to[n - 1], to[n]]),
    }
}

/// The line through the first point at or above x.
fn above(x: f64, from: &[f64], to: &[f64]) -> f64 {
    match from.partition_point(|&point| point < x) {
        0 => to.first().copied().unwrap_or(x),
        n if n == from.len() => to[n - 1],
        n => line(x, [from[n - 1], from[n]], [to[n - 1], to[n]]),
    }
}

fn line(x: f64, from: [f64; 2], to: [f64; 2]) -> f64 {
    let slope = (to[1] - to[0]) / (from[1] - from[0]);
    if slope.is_finite() && slope != 0.0 {
        slope * (x - from[0]) + to[0]
    } else {
        // points too far apart or too near for their difference
        let share = (x * 0.5 - from[0] * 0.5) / (from[1] * 0.5 - from[0] * 0.5);
        to[0] + (to[1] * 0.5 - to[0] * 0.5) * share * 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_too_far_apart_or_too_near_have_a_line() {
        let far = [-1.5e308, 1.5e308];
        assert_eq!(line(0.0, far, [0.25, 0.75]), 0.5);
        assert_eq!(line(0.75e308, far, [0.0, 1.0]), 0.75);
        assert_eq!(line(0.25, [0.0, 1.0], far), -0.75e308);
        let near = [0.0, 4e-323];
        assert_eq!(line(1e-323, near, [2.0, 4.0]), 2.5);
        assert_eq!(line(1.5, [1.0, 3.0], [5.0, 9.0]), 6.0);
    }

    #[test]
    fn lines_end_where_the_points_do() {
        let (from, to) = ([0.0, 1.0], [5.0, 6.0]);
        assert_eq!([-1.0, 0.25, 2.0].map(|x| above(x, &from, &to)), [5.0, 5.25, 6.0]);
        assert_eq!([-1.0, 0.25, 2.0].map(|x| below(x, &from, &to)), [5.0, 5.25, 6.0]);
    }
}
