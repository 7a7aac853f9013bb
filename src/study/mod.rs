//! Studies of many trainings: what their outcomes say.

pub mod verdicts;
