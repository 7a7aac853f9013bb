//! Natural accuracy on the embedded digits: StdCNN and GCNN at least 97 %, the GCNN with the
//! invariant head at least 94 %, and the same answer for a digit and its quarter turns.

use fireproof::evaluate::Rate;
use fireproof::prelude::*;
use fireproof::transform::rot90;
use std::process::ExitCode;

fn main() -> fireproof::base::Result<ExitCode> {
    let device = fireproof::try_device()?;
    let digits = embedded_mnist();
    let rate = Milestones::new([(0.0, 0.05), (0.5, 0.02), (0.75, 0.004)]);
    let mut passed = true;
    for (name, group, head, epochs, least) in [
        ("StdCNN", Group::P1, Head::Flattened, 6, 0.97),
        ("GCNN p4", Group::P4, Head::Flattened, 4, 0.97),
        ("GCNN p4, invariant head", Group::P4, Head::Pooled, 10, 0.94),
    ] {
        // The invariant head sees one number per channel: give it more of them.
        let widths = match head {
            Head::Flattened => Widths::PUBLISHED,
            Head::Pooled => Widths::Given([10, 10, 20, 48]),
        };
        let model = CnnConfig::new(group, digits.train.shape(), 10)
            .with_widths(widths)
            .with_head(head)
            .with_seed(7)
            .init(&device)?;
        let curriculum = Curriculum::new(epochs).with_learning_rate(rate.clone());
        let trained = Training::new(curriculum, Natural)
            .with_batch_size(64)
            .with_seed(7)
            .with_label(name)
            .fit(model, &digits.train, &digits.test, &device)?;
        let victim = Frozen::new(&trained.model);

        let (mut right, mut turned_alike) = (0, 0);
        for batch in digits.test.batches(200, &device) {
            let upright = victim.predict(batch.images.clone());
            let agreed = upright.iter().zip(batch.labels_to_vec());
            right += agreed
                .filter(|(predicted, label)| *predicted == label)
                .count();
            let turned = [1, 2, 3].map(|turns| victim.predict(rot90(batch.images.clone(), turns)));
            turned_alike += (0..upright.len())
                .filter(|&at| turned.iter().all(|predicted| predicted[at] == upright[at]))
                .count();
        }
        let accuracy = Rate::of(right, digits.test.len());
        println!(
            "{name}: {accuracy}; {turned_alike} of {} digits keep their class under all quarter \
             turns",
            digits.test.len()
        );
        passed &= accuracy.value >= least;
        passed &= head == Head::Flattened || turned_alike == digits.test.len();
    }
    println!(
        "{}",
        if passed {
            "as it should be"
        } else {
            "NOT as it should be"
        }
    );
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
