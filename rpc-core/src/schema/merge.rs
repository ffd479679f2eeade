//! Which shapes are the same.
//!
//! One type may stand in several places, which are traced apart, and two types may be equal on the wire. Shapes are
//! the same if no way into their parts tells them apart, which holds for shapes that contain themselves too.

use std::collections::HashMap;

use super::shapes::{Label, Shape, Shapes};

impl Shapes {
    /// For each shape the number of its class: equal for shapes that are the same.
    pub(super) fn classes(&self) -> Vec<usize> {
        let mut labels = HashMap::new();
        let mut classes: Vec<usize> = (self.all.iter())
            .map(|shape| {
                let next = labels.len();
                *labels.entry(&shape.label).or_insert(next)
            })
            .collect();
        let mut count = labels.len();
        loop {
            let mut finer = HashMap::new();
            let next: Vec<usize> = (self.all.iter().zip(&classes))
                .map(|(shape, class)| {
                    let next = finer.len();
                    *finer.entry((*class, classes_of(shape, &classes))).or_insert(next)
                })
                .collect();
            if finer.len() == count {
                return classes;
            }
            (classes, count) = (next, finer.len());
        }
    }
}

/// The classes of a shape's parts; of a tuple of equal parts only one.
fn classes_of(shape: &Shape, classes: &[usize]) -> Vec<usize> {
    let mut parts: Vec<usize> = shape.parts.iter().map(|part| classes[*part]).collect();
    if matches!(shape.label, Label::Tuple(_)) && parts.iter().all(|part| *part == parts[0]) {
        parts.truncate(1);
    }
    parts
}
