//! The comparison with what was written down.

use super::*;

/// What differs, and what may differ but should be seen.
#[derive(Default)]
pub struct Differences {
    pub wrong: Vec<String>,
    pub seen: Vec<String>,
}

impl Differences {
    pub fn check(&mut self, right: bool, case: &str, what: impl Display) {
        if !right {
            self.wrong.push(format!("{case}: {what}"));
        }
    }

    pub fn same<T: PartialEq + Debug>(&mut self, case: &str, what: &str, before: T, now: T) {
        let right = before == now;
        self.check(
            right,
            case,
            format_args!("{what} {before:?} is now {now:?}"),
        );
    }

    /// Passes, which may be fewer if that is explained.
    pub fn passes(&mut self, case: &str, what: &str, before: &[f64], now: &[f64]) {
        if before == now {
            return;
        }
        let text = format!("{what} {} are now {}", words(before), words(now));
        let not_more = before.len() == now.len() && before.iter().zip(now).all(|(b, n)| n <= b);
        match FEWER.iter().find(|(word, _)| case.contains(word)) {
            Some((_, reason)) if not_more => self.seen.push(format!("{case}: {text}: {reason}")),
            _ => self.check(false, case, text),
        }
    }

    pub fn attack(&mut self, case: &str, [old, new]: [&Record; 2]) {
        let (before, now) = (&old.attacks[case], &new.attacks[case]);
        self.same(case, "fooled", &before.fooled, &now.fooled);
        self.passes(
            case,
            "queries",
            &numbers(&before.queries),
            &numbers(&now.queries),
        );
        self.passes(
            case,
            "gradients",
            &numbers(&before.gradients),
            &numbers(&now.gradients),
        );
        let moved = differing(&before.images, &now.images);
        let losses = differing(&before.loss, &now.loss);
        let (Some(was), Some(is)) = (old.sample(before), new.sample(now)) else {
            self.same(case, "images that differ", 0, moved);
            self.same(case, "losses that differ", 0, losses);
            return;
        };
        let most = farthest(was, is);
        self.check(
            most <= LAST_BITS,
            case,
            format_args!("pixels differ by {most:e}"),
        );
        if moved == 0 {
            self.same(case, "losses that differ", 0, losses);
            return;
        }
        let text = format!("{moved} images differ in last bits, by {most:e} at most");
        self.seen.push(format!("{case}: {text}"));
        for (a, b) in losses_of(before).into_iter().zip(losses_of(now)) {
            let close = (a - b).abs() <= 1e-5 * a.abs().max(1.0);
            self.check(close, case, format_args!("a loss of {a} is now {b}"));
        }
    }

    pub fn training(&mut self, case: &str, before: &Learnt, now: &Learnt) {
        let all = before.weights.split(' ').count();
        let moved = differing(&before.weights, &now.weights);
        let text = format_args!("{moved} of {all} parameters differ");
        self.check(moved == 0, case, text);
        let history = |l: &Learnt| [l.train_loss, l.valid_loss, l.valid_accuracy];
        self.same(case, "history", history(before), history(now));
    }

    pub fn evaluation(&mut self, name: &str, before: &Measured, now: &Measured) {
        let case = format!("{name}, {}", before.level);
        self.passes(&case, "queries", &[before.queries], &[now.queries]);
        let now = Measured {
            queries: before.queries,
            ..now.clone()
        };
        self.same(&case, "measured", before, &now);
    }

    pub fn bit_for_bit(&mut self, records: [&Record; 2]) {
        let [old, new] = records;
        for case in old.attacks.keys() {
            self.attack(case, records);
        }
        for (case, before) in &old.trainings {
            self.training(case, before, &new.trainings[case]);
        }
        for (name, before) in &old.evaluations {
            let now = &new.evaluations[name];
            self.same(name, "levels", before.len(), now.len());
            for (before, now) in before.iter().zip(now) {
                self.evaluation(name, before, now);
            }
        }
    }

    /// For a processor of other arithmetic. Training magnifies what is rounded otherwise, so that
    /// the victims differ, and with them all images but the random starts.
    pub fn loosely(&mut self, records: [&Record; 2]) {
        let [old, new] = records;
        let ones = |bits: &str| bits.matches('1').count().cast_signed();
        for (case, before) in &old.attacks {
            let now = &new.attacks[case];
            let more = ones(&now.fooled) - ones(&before.fooled);
            self.check(more.abs() <= 5, case, format_args!("{more} more fooled"));
            if !case.contains("restarts") {
                self.same(case, "queries", &before.queries, &now.queries);
                self.same(case, "gradients", &before.gradients, &now.gradients);
            }
            if let (true, Some(was), Some(is)) =
                (case.contains("alone"), old.sample(before), new.sample(now))
            {
                let most = farthest(was, is);
                self.check(most < 1e-5, case, format_args!("pixels differ by {most:e}"));
            }
        }
        for (case, before) in &old.trainings {
            let losses = |l: &Learnt| [l.train_loss, l.valid_loss];
            for (a, b) in losses(before).into_iter().zip(losses(&new.trainings[case])) {
                let close = (a / b).ln().abs() < 0.5;
                self.check(close, case, format_args!("a loss of {a} is now {b}"));
            }
        }
        for (name, before) in &old.evaluations {
            for (before, now) in before.iter().zip(&new.evaluations[name]) {
                self.same(name, "level", &before.level, &now.level);
                let (a, b) = (before.accuracy[0], now.accuracy[0]);
                let text = format_args!("{}: {a} right are now {b}", before.level);
                self.check((a - b).abs() < 0.2, name, text);
            }
        }
    }
}

pub fn farthest(before: &[f32], now: &[f32]) -> f32 {
    let pairs = before.iter().zip(now);
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

pub fn numbers(words: &str) -> Vec<f64> {
    words.split(' ').map(|word| word.parse().unwrap()).collect()
}

pub fn losses_of(attacked: &Attacked) -> Vec<f32> {
    let words = attacked.loss.split(' ');
    let bits = words.map(|word| u32::from_str_radix(word, 16).unwrap());
    bits.map(f32::from_bits).collect()
}

pub fn differing(before: &str, now: &str) -> usize {
    assert_eq!(before.len(), now.len());
    let pairs = before.split(' ').zip(now.split(' '));
    pairs.filter(|(a, b)| a != b).count()
}
