//! Turns and shifts a digit, exactly and interpolated, and times it.
//!
//! `cargo run --release --example warp`

use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Degrees, Keys, Pixels};
use fireproof::transform::{Border, Pose, PoseBudget, Warp};
use std::time::Instant;

const SIDE: usize = 28;

fn main() {
    let device = fireproof::device();
    let digit = Tensor::<1>::from_data(TensorData::new(seven(), [SIDE * SIDE]), &device)
        .reshape([1, 1, SIDE, SIDE]);

    let pose = Pose {
        right: Pixels(2.5),
        ..Pose::rotation(Degrees(30.0))
    };
    println!("A seven, and the same after: {pose} (counter-clockwise, then shifted).\n");
    let pictures = [
        ("upright", digit.clone()),
        ("nearest", Warp::nearest().apply(digit.clone(), &[pose])),
        ("bilinear", Warp::bilinear().apply(digit.clone(), &[pose])),
    ];
    print_in_a_row(&pictures);

    let batch = 128;
    let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0)).unwrap();
    let poses = budget.draw(&Keys::new(1, 0..batch));
    let images = digit.expand([batch as usize, 1, SIDE, SIDE]);
    println!("\nOne random pose per image, batches of {batch}, border reflected:");
    for warp in [Warp::nearest(), Warp::bilinear()] {
        let warp = warp.with_border(Border::Reflect);
        let repeats = 50;
        let start = Instant::now();
        for _ in 0..repeats {
            // Reading a value waits for devices that compute in the background.
            warp.apply(images.clone(), &poses)
                .sum()
                .into_scalar::<f32>();
        }
        let rate = (repeats * batch) as f64 / start.elapsed().as_secs_f64();
        println!("{:>10?}: {rate:>9.0} images per second", warp.interpolation);
    }
}

/// A seven: a bar, and a stroke from its right end.
fn seven() -> Vec<f32> {
    let near = |distance: f32| (1.5 - distance.abs()).clamp(0.0, 1.0);
    (0..SIDE * SIDE)
        .map(|i| {
            let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
            let bar = near(y - 6.0) * near((x - 14.0).abs().max(5.5) - 5.5);
            let stroke = near(x - 19.5 + 0.5 * (y - 6.0)) * near((y - 14.0).abs().max(8.0) - 8.0);
            bar.max(stroke)
        })
        .collect()
}

fn print_in_a_row(pictures: &[(&str, Tensor<4>)]) {
    for (name, _) in pictures {
        print!("{name:<width$}", width = 2 * SIDE + 2);
    }
    println!();
    let pixels = |(_, image): &(&str, Tensor<4>)| image.to_data().iter::<f32>().collect();
    let pixels: Vec<Vec<f32>> = pictures.iter().map(pixels).collect();
    for row in 3..SIDE - 3 {
        for image in &pixels {
            for value in &image[row * SIDE..(row + 1) * SIDE] {
                let shade = [' ', '░', '▒', '▓', '█'][(value * 4.0).round() as usize];
                print!("{shade}{shade}");
            }
            print!("  ");
        }
        println!();
    }
}
