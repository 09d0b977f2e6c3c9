//! What other crates call, compiled here once for each coordinate type.
//!
//! A generic function is compiled anew in every crate that calls it, with all that it calls, unless it is
//! `#[inline(never)]` and the crate it stands in has compiled it for the same types. The entry points of this crate
//! are coarse, so that nothing is lost by a call. One that is missing here works, and builds slower.

use std::hint::black_box;

use crate::compare::{compare, otdd};
use crate::dataset::{Points, Stored};
use crate::directions::Directions;
use crate::flow::{Flow, FlowState, Resolved, Settings};
use crate::functional::{
    FeatureMap, Functional, Lift, MappedMmd, MatchedSw, MeanMatching, MmdSw, Objective, OtddFlow, PooledMmd,
    ProductMmd,
};
use crate::linalg::matmul;
use crate::measure::MeasureOverMeasures;
use crate::ot::geometry::{self, VelocityPlan};
use crate::ot::{exact, labels, wow};

/// A feature map of any kind, as [`crate::functional::FeatureMap`] is handed to functionals.
type AnyMap<T> = Box<dyn FeatureMap<T>>;

/// Names the entry points; there is nothing in it to run.
#[doc(hidden)]
pub fn instances() {
    of::<f32>();
    of::<f64>();
}

fn of<T: Stored>() {
    black_box([
        MeasureOverMeasures::<T>::uniform as *const (),
        MeasureOverMeasures::<T>::new as *const (),
        MeasureOverMeasures::<T>::from_dataset as *const (),
        MeasureOverMeasures::<T>::cast::<f32> as *const (),
        MeasureOverMeasures::<T>::cast::<f64> as *const (),
        MeasureOverMeasures::<T>::with_points::<T> as *const (),
        MeasureOverMeasures::<T>::subsample as *const (),
        MeasureOverMeasures::<T>::sample_masses as *const (),
        MeasureOverMeasures::<T>::class_of as *const (),
        MeasureOverMeasures::<T>::to_dataset as *const (),
        Points::to_vec::<T> as *const (),
        matmul::<T> as *const (),
        Directions::<T>::draw as *const (),
    ]);
    black_box([
        exact::Problem::<T>::solve as *const (),
        exact::squared_euclidean::<T> as *const (),
        exact::w2_pow::<T> as *const (),
        wow::wow2_pow::<T> as *const (),
        wow::wow2_pow_until::<T> as *const (),
        wow::wow2_pow_observed::<T> as *const (),
        labels::nearest_neighbour_votes::<T> as *const (),
        geometry::iterate::<T> as *const (),
        geometry::constant_speed::<T> as *const (),
        geometry::plan_uniqueness::<T> as *const (),
        VelocityPlan::<T>::log as *const (),
        VelocityPlan::<T>::new as *const (),
        VelocityPlan::<T>::mean_displacement as *const (),
        VelocityPlan::<T>::exp as *const (),
        VelocityPlan::<T>::at as *const (),
        VelocityPlan::<T>::barycentric as *const (),
        compare::<T> as *const (),
        otdd::otdd_pow::<T> as *const (),
    ]);
    black_box([
        MmdSw::<T>::new as *const (),
        MmdSw::<T>::with_batches as *const (),
        MmdSw::<T>::with_within_atom_variance as *const (),
        MmdSw::<T>::mmd2_held_out as *const (),
        MmdSw::<T>::mmd2_estimate as *const (),
        MmdSw::<T>::typical_distance as *const (),
        MmdSw::<T>::distances as *const (),
        <MmdSw<'_, T> as Functional<T>>::evaluate as *const (),
        <MmdSw<'_, T> as Functional<T>>::change as *const (),
        <MmdSw<'_, T> as Functional<T>>::held_out as *const (),
        PooledMmd::new::<T> as *const (),
        PooledMmd::mmd2::<T> as *const (),
        PooledMmd::typical_distance::<T> as *const (),
        <PooledMmd as Functional<T>>::evaluate as *const (),
        <PooledMmd as Functional<T>>::change as *const (),
        <PooledMmd as Functional<T>>::held_out as *const (),
        MappedMmd::<T, AnyMap<T>>::new as *const (),
        <MappedMmd<'_, T, AnyMap<T>> as Functional<T>>::evaluate as *const (),
        MatchedSw::<T, AnyMap<T>>::new as *const (),
        <MatchedSw<'_, T, AnyMap<T>> as Functional<T>>::evaluate as *const (),
        MeanMatching::<T, AnyMap<T>>::new as *const (),
        <MeanMatching<'_, T, AnyMap<T>> as Functional<T>>::evaluate as *const (),
        Lift::<T>::new as *const (),
        Lift::<T>::features as *const (),
        Lift::<T>::labels as *const (),
        OtddFlow::<T>::new as *const (),
        <OtddFlow<'_, T> as Functional<T>>::evaluate as *const (),
        ProductMmd::<T>::new as *const (),
        <ProductMmd<'_, T> as Functional<T>>::evaluate as *const (),
        Objective::<T>::new as *const (),
        Objective::<T>::sum as *const (),
        Flow::drive::<T> as *const (),
        FlowState::<T>::restore as *const (),
        Settings::resolve::<T> as *const (),
        Resolved::objective::<T> as *const (),
    ]);
}
