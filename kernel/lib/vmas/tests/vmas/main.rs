//! Tests of the map of areas, from outside.

mod areas;
mod cost;
mod failure;
mod model;
mod support;
