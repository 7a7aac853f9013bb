use super::proportion::{Z95, score, spread};
use super::{Interval, student};

/// A table of outcomes, a row for each network and a column for each image, and what it counts for.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The rows, all of one length.
    pub rows: &'a [Vec<f64>],
    /// What the table's mean is multiplied by.
    pub weight: f64,
}

/// The weighted sum of the means of tables whose rows (networks of different seeds) and columns
/// (images, the same for all tables) are both drawn from many: what it says about all of them.
///
/// Three things vary: rows, columns, and what is left, which networks happen to get which images
/// right. With mean squares MS of R rows and C columns, the variance of a table's mean has the
/// estimate
///
/// ```text
/// rows: MS_rows / (R C)      columns: max(MS_columns − MS_rest, 0) / (R C)
/// ```
///
/// as in the analysis of many readers who all see the same cases (N. A. Obuchowski and H. E. Rockette 1995;
/// B. D. Gallas, G. A. Pennello and K. J. Myers 2007, "Multireader multicase variance analysis for binary
/// data"). The first part is known by R − 1 degrees of freedom alone, the second one well. So an interval's
/// half width is √(t² rows + z² columns), by the quantiles of Student's t and of the normal distribution
/// (S. K. Banerjee 1960, "Approximate confidence interval for linear functions of means of k populations when
/// the population variances are not equal"): where means are normal it covers at least 95 %, whatever the
/// parts are, and so at every level. (Let w be the share of rows, Z normal: given χ², the probability of
/// Z² ≤ w t² χ²/ν + (1 − w) z² is a concave function of the right side, so it is at least the same mean of
/// the two probabilities, and of these the first is 95 % on average, the second one always.) The degrees of
/// freedom after F. E. Satterthwaite (S. L. Hillis 2007), which are usual there, do not: of three rows 92 %
/// where columns have a small part, of two 87 %.
///
/// Rows of different tables are drawn apart, and known by those of the table that has the fewest: where
/// they belong together, seed by seed, combine them into one table first.
///
/// A single row of each table cannot tell how rows vary: then only columns count, and what is said is
/// about these rows. So that rare outcomes are not taken for impossible ones, columns vary as they would
/// with a few `more` constant ones.
///
/// ```
/// use fireproof::base::statistics::{Crossed, Table};
///
/// // Three networks that are right on 80, 82 and 84 of the same 100 images.
/// let network = |right| (0..100).map(|image| f64::from(image < right)).collect();
/// let rows: Vec<Vec<f64>> = [80, 82, 84].map(network).to_vec();
/// let all = Crossed::new(&[Table { rows: &rows, weight: 1.0 }], &[]);
/// assert!((all.mean - 0.82).abs() < 1e-12);
/// // Of one network: by the images alone.
/// let one = Crossed::new(&[Table { rows: &rows[1..2], weight: 1.0 }], &[]);
/// assert!(one.rows == 0.0 && one.error() < all.error());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossed {
    /// The weighted sum of means.
    pub mean: f64,
    /// The same with the constant columns: what intervals are around.
    pub centre: f64,
    /// The part of rows in the variance of the mean; 0 with a single row.
    pub rows: f64,
    /// The part of columns.
    pub columns: f64,
    /// Degrees of freedom of the part of rows; infinite where it is 0.
    pub freedom: f64,
}

impl Crossed {
    /// Of these tables, with as many constant columns as `more` holds, on which the weighted sum has
    /// these values.
    ///
    /// # Panics
    ///
    /// Panics if there is no table, one without a row or column, tables or rows of different
    /// lengths, or one table of a single row beside one of several.
    pub fn new(tables: &[Table<'_>], more: &[f64]) -> Self {
        let columns = tables.first().and_then(|table| table.rows.first());
        let columns = columns.map_or(0, Vec::len);
        let alike = (tables.iter().flat_map(|table| table.rows)).all(|row| row.len() == columns);
        let single = tables.iter().filter(|table| table.rows.len() == 1).count();
        assert!(
            columns > 0 && alike && tables.iter().all(|table| !table.rows.is_empty()),
            "a table without rows or columns, or of another length"
        );
        assert!(
            single == 0 || single == tables.len(),
            "one row beside several"
        );
        let mut sums = vec![0.0; columns];
        let (mut by_rows, mut rest, mut fewest) = (0.0, 0.0, f64::INFINITY);
        for table in tables {
            let parts = Parts::of(table, &mut sums);
            by_rows += parts.rows;
            rest += parts.rest;
            fewest = fewest.min(table.rows.len() as f64);
        }
        let (count, all) = (columns as f64, (columns + more.len()) as f64);
        let (centre, variance) = spread(&sums, more);
        // Columns of means over rows vary by the rest too, which is counted with the rows.
        let by_columns = (variance / all - rest * count / all).max(0.0);
        Self {
            mean: sums.iter().sum::<f64>() / count,
            centre,
            rows: by_rows,
            columns: by_columns,
            freedom: match by_rows > 0.0 {
                true => fewest - 1.0,
                false => f64::INFINITY,
            },
        }
    }

    /// The standard error of the mean.
    pub fn error(&self) -> f64 {
        (self.rows + self.columns).sqrt()
    }

    /// The 95 % interval around the centre.
    pub fn interval(&self) -> Interval {
        let half = self.quantile(0.025) * self.error();
        Interval {
            low: self.centre - half,
            high: self.centre + half,
        }
    }

    /// The 95 % interval if the mean is a proportion, within [0, 1]: Wilson's, for the number of
    /// independent outcomes that would have this error, and Student's quantile.
    ///
    /// (For samples in clusters: N. Dean and M. Pagano 2015, "Evaluating confidence interval methods for
    /// binomial proportions in clustered surveys".)
    pub fn interval_of_proportion(&self) -> Interval {
        let mean = self.mean.clamp(0.0, 1.0);
        let worth = (self.centre * (1.0 - self.centre)).max(0.0) / (self.rows + self.columns);
        if !worth.is_finite() {
            return Interval {
                low: mean,
                high: mean,
            };
        }
        let worth = worth.max(1.0);
        score(mean * worth, worth, self.quantile(0.025))
    }

    /// The two-sided p-value of a mean of 0: below 0.05 where the 95 % interval does not hold 0. Where rows
    /// count, 2e-30 at least.
    pub fn p_value(&self) -> f64 {
        (2.0 * self.beyond(self.centre.abs())).min(1.0)
    }

    /// The p-value of a mean that is at least `margin` away from 0, by two one-sided tests: below
    /// 0.05 where the 90 % interval is within the margin.
    ///
    /// (D. J. Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power
    /// approach for assessing the equivalence of average bioavailability".)
    pub fn equivalence(&self, margin: f64) -> f64 {
        self.beyond(margin - self.centre.abs())
    }

    // The probability of an estimate further than this above the truth: where the quantile is.
    fn beyond(&self, distance: f64) -> f64 {
        let errors = distance / self.error();
        if distance == 0.0 {
            return 0.5;
        }
        if errors < 0.0 {
            return 1.0 - self.beyond(-distance);
        }
        if self.rows == 0.0 {
            return student::tail(errors, f64::INFINITY);
        }
        // The quantile is between those of its two distributions, so the probability is between theirs;
        // secants of logarithms, kept between them.
        let ends = [f64::INFINITY, self.freedom].map(|f| student::tail(errors, f).max(1e-30).ln());
        let [mut low, mut high] = ends;
        let excess = |log: f64| (self.quantile(log.exp()) / errors).ln();
        let (mut above, mut below) = (excess(low), excess(high));
        for _ in 0..60 {
            if high - low < 1e-12 || above <= 1e-13 {
                break;
            }
            if below >= -1e-13 {
                return high.exp();
            }
            let middle = low + (high - low) * above / (above - below);
            let found = excess(middle);
            if found > 0.0 {
                (low, above) = (middle, found);
                below *= 0.5;
            } else {
                (high, below) = (middle, found);
                above *= 0.5;
            }
        }
        low.exp()
    }

    // The number of errors that are exceeded with this probability, below one half.
    fn quantile(&self, p: f64) -> f64 {
        let normal = match p {
            0.025 => Z95,
            p => student::quantile(p, f64::INFINITY),
        };
        if self.rows == 0.0 {
            return normal;
        }
        let of_rows = student::quantile(p, self.freedom);
        let share = self.rows / (self.rows + self.columns);
        (share.sqrt() * of_rows).hypot((1.0 - share).sqrt() * normal)
    }
}

/// What rows, and what is left of rows and columns, add to the variance of the sum.
struct Parts {
    rows: f64,
    rest: f64,
}

impl Parts {
    // Adds the table's column means to `sums` as well.
    fn of(table: &Table<'_>, sums: &mut [f64]) -> Self {
        let (rows, columns) = (table.rows.len() as f64, sums.len() as f64);
        let mut means = vec![0.0; sums.len()];
        for row in table.rows {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += value / rows;
            }
        }
        for (sum, mean) in sums.iter_mut().zip(&means) {
            *sum += table.weight * mean;
        }
        if table.rows.len() == 1 {
            return Self {
                rows: 0.0,
                rest: 0.0,
            };
        }
        let whole = means.iter().sum::<f64>() / columns;
        let (mut of_rows, mut of_rest) = (0.0, 0.0);
        for row in table.rows {
            let own = row.iter().sum::<f64>() / columns - whole;
            of_rows += columns * own * own;
            let rest = row.iter().zip(&means);
            of_rest += rest.map(|(v, mean)| (v - mean - own).powi(2)).sum::<f64>();
        }
        let of_rows = of_rows / (rows - 1.0);
        let of_rest = of_rest / ((rows - 1.0) * (columns - 1.0).max(1.0));
        let scale = table.weight * table.weight / (rows * columns);
        Self {
            rows: scale * of_rows,
            rest: scale * of_rest,
        }
    }
}
