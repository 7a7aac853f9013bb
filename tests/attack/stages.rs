//! Queries by stages of a network against whole passes.

use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::attack::{Attack, AttackSpec, Frozen, Square};
use fireproof::base::{Batch, Classifier, Seed, Stages, View};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::model::{CnnConfig, Head, SmallCnn, SmallCnnConfig, Widths};
use fireproof::nn::{InitialWeights, NormalizeConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

// Only on Flex are queries made by stages.
on_this_device![
    exact_queries_by_stages_are_those_of_whole_passes,
    value_stages_compute_what_sees_a_change,
];

// Images whose labels are the network's predictions.
fn batch(on: &On, victim: &Frozen, count: usize, image: [usize; 3]) -> Batch {
    let [channels, height, width] = image;
    let pixels = count * image.iter().product::<usize>();
    let pixels = Vec::from_iter((0..pixels).map(|at| {
        let wave = ((at % (height * width)) as f64 * 0.7 + (at / (height * width)) as f64).sin();
        (0.5 + 0.4 * wave) as f32
    }));
    let images = on.tensor(pixels, [count, channels, height, width]);
    let labels = on.labels(&victim.predict(images.clone()));
    Batch::new(images, labels).unwrap()
}

// The same search by a network, and by a closure around it, which has no stages.
fn compare<M: Module + Classifier + 'static>(on: &On, model: &M, image: [usize; 3], what: &str) {
    // At first the square is most of the image, and in the end a few pixels.
    let linf = Square::linf(0.1).with_queries(200);
    let linf = AttackSpec::from(linf.with_rescaled_schedule(true));
    let l2 = Square::l2(0.6).with_queries(20);
    let searches = [linf.clone(), small(), l2.into(), linf.within(40).into()];
    compare_by(on, model, image, what, &searches);
}

// By small squares only.
fn small() -> AttackSpec {
    let search = Square::linf(0.04).with_p_init(0.01);
    search.with_queries(60).into()
}

fn compare_by<M: Module + Classifier + 'static>(
    on: &On,
    model: &M,
    image: [usize; 3],
    what: &str,
    searches: &[AttackSpec],
) {
    let inner = model.valid();
    let victims = [
        Frozen::new(model),
        Frozen::from_fn(move |images: Tensor<4>| inner.logits(images)),
    ];
    for numerics in [Numerics::Exact, Numerics::Fast] {
        let [staged, whole] = victims.clone().map(|victim| victim.with_numerics(numerics));
        // More images than a vector has lanes.
        let batch = batch(on, &whole, 21, image);
        for attack in searches {
            let run = |victim| attack.attack(victim, &batch, Seed(3)).unwrap();
            let (staged, whole) = (run(&staged), run(&whole));
            let what = format!("{what}, {attack}, {numerics}");
            assert_eq!(staged.queries, whole.queries, "{what}");
            assert_eq!(values(&staged.images), values(&whole.images), "{what}");
            assert_eq!(staged.loss, whole.loss, "{what}");
        }
        // Whoever the batch mates are.
        let found = searches[0].attack(&staged, &batch, Seed(3)).unwrap();
        for at in [0, 20] {
            let alone = batch.select(&[at]);
            let alone = searches[0].attack(&staged, &alone, Seed(3)).unwrap();
            assert_eq!(values(&alone.images), values(&found.select(&[at]).images));
            assert_eq!(alone.queries[0], found.queries[at], "{what}, {numerics}");
        }
    }
}

fn exact_queries_by_stages_are_those_of_whole_passes(on: &On) {
    let device = on.device();
    for image in [[1, 28, 28], [3, 32, 24]] {
        let model = SmallCnnConfig::new(image, 10)
            .with_dropout(0.0)
            .init(&device);
        let model = lively(model.unwrap());
        compare(on, &model, image, &format!("SmallCnn {image:?}"));
    }
    let image = [1, 28, 28];
    for (group, widths) in [(Group::P1, 8), (Group::P4, 4), (Group::P4m, 4)] {
        for head in [Head::Flattened, Head::Pooled] {
            let config = CnnConfig::new(group, image, 10)
                .with_widths(Widths::Given([widths, widths, 2 * widths, 2 * widths]))
                .with_head(head)
                .with_normalize(Some(NormalizeConfig::new(vec![0.13], vec![0.31])));
            let model = config.init(&device).unwrap();
            compare(on, &model, image, &format!("{group} {head:?}"));
        }
    }
    // Between many channels, kernels choose other tiles for few pixels.
    let config = CnnConfig::new(Group::P1, image, 10).with_widths(Widths::Given([128, 128, 4, 4]));
    let model = config.init(&device).unwrap();
    compare_by(on, &model, image, "many channels", &[small()]);
}

// SmallCnn's last layer is zero at first.
fn lively(model: SmallCnn) -> SmallCnn {
    model.map(&mut InitialWeights::normal(3))
}

// A network of a user's own, which counts the cells that its stages are given.
struct Counted {
    inner: SmallCnn,
    seen: [AtomicUsize; 3],
    parts: bool,
}

impl Counted {
    fn count(&self, number: usize, images: &Tensor<4>) {
        let [count, _, height, width] = images.dims();
        self.seen[number].fetch_add(count * height * width, Ordering::Relaxed);
    }
}

impl Classifier for Counted {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.count(0, &images);
        self.inner.logits(images)
    }

    fn stages(&self) -> Option<&dyn Stages> {
        self.parts.then_some(self)
    }
}

impl Stages for Counted {
    fn views(&self) -> Vec<View> {
        self.inner.views()
    }

    fn stage(&self, number: usize, features: Tensor<4>) -> Tensor<4> {
        self.count(number, &features);
        self.inner.stage(number, features)
    }

    fn rest(&self, features: Tensor<4>) -> Tensor<2> {
        self.inner.rest(features)
    }
}

fn value_stages_compute_what_sees_a_change(on: &On) {
    let image = [1, 28, 28];
    let model = SmallCnnConfig::new(image, 10).init(&on.device()).unwrap();
    let model = lively(model).valid();
    let [staged, whole] = [true, false].map(|parts| {
        let victim = Arc::new(Counted {
            inner: model.clone(),
            seen: Default::default(),
            parts,
        });
        let frozen = Frozen::from_shared(victim.clone()).with_numerics(Numerics::Exact);
        let batch = batch(on, &frozen, 8, image);
        // Squares of three pixels, which eight cells after the second convolution see at most, and four of
        // twelve after the pooling: twelve pixels of 28.
        let attack = Square::linf(0.01).with_p_init(0.0125).with_queries(100);
        let found = attack.attack(&frozen, &batch, Seed(5)).unwrap();
        assert_eq!(found.fooled_count(), 0);
        let seen = victim
            .seen
            .each_ref()
            .map(|seen| seen.load(Ordering::Relaxed) as f64);
        (found, seen)
    });
    assert_eq!(values(&staged.0.images), values(&whole.0.images));
    assert_eq!(staged.0.queries, whole.0.queries);
    let queries: u32 = whole.0.queries.iter().sum();
    let part = staged.1[0] / whole.1[0];
    println!("{queries} queries, {part:.3} of the pixels");
    // The first candidates, clean passes and verdicts are whole: 3 of some hundred, and 8 for the labels.
    let least = 144.0 / 784.0;
    assert!((least..least + 0.05).contains(&part), "{part}");
}
