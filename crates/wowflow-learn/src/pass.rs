//! A batch on its way through the layers and back.

use wowflow::scalar::Scalar;

use crate::layers::Layer;

/// Working memory of a network: outputs of every layer and gradients on their way back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pass<T> {
    batch: usize,
    outputs: Vec<Vec<T>>,
    back: [Vec<T>; 2],
}

impl<T: Scalar> Pass<T> {
    /// Outputs of the last of the layers for a batch, `N x` its length.
    pub(crate) fn forward(&mut self, layers: &[Layer], parameters: &[T], inputs: &[T], batch: usize) -> &[T] {
        self.batch = batch;
        self.outputs.resize_with(layers.len().max(self.outputs.len()), Vec::new);
        for (at, layer) in layers.iter().enumerate() {
            let (before, after) = self.outputs.split_at_mut(at);
            let input = before.last().map_or(inputs, Vec::as_slice);
            after[0].resize(batch * layer.output.len(), T::ZERO);
            layer.forward(parameters, batch, input, &mut after[0]);
        }
        &self.outputs[layers.len() - 1]
    }

    /// Takes the gradient with respect to the last outputs back: added to that of the parameters, and to
    /// the inputs, each where it is asked for. After [`Self::forward`] with the same arguments.
    pub(crate) fn backward(
        &mut self,
        layers: &[Layer],
        parameters: &[T],
        inputs: &[T],
        of_outputs: &[T],
        mut gradient: Option<&mut [T]>,
        of_inputs: Option<&mut [T]>,
    ) {
        let batch = self.batch;
        let [current, next] = &mut self.back;
        current.clear();
        current.extend_from_slice(of_outputs);
        let mut of_inputs = of_inputs;
        for (at, layer) in layers.iter().enumerate().rev() {
            let (before, after) = self.outputs.split_at(at);
            let input = before.last().map_or(inputs, Vec::as_slice);
            let of_input = if at > 0 {
                next.resize(batch * layer.input.len(), T::ZERO);
                Some(next.as_mut_slice())
            } else {
                of_inputs.take()
            };
            let gradient = gradient.as_deref_mut();
            layer.backward(parameters, batch, (input, &after[0]), current, of_input, gradient);
            std::mem::swap(current, next);
        }
    }
}
