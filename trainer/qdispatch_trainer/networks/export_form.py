"""The set network for one situation, in the inputs and outputs that the exported graph has."""

from __future__ import annotations

from torch import Tensor, nn

from qdispatch_trainer.networks.pooling import SinglePooling
from qdispatch_trainer.networks.set_network import SetNetwork

INPUT_NAMES = (
    "driver_features",
    "booking_features",
    "pair_features",
    "pair_driver",
    "pair_booking",
    "context",
    "pair_cost",
)
OUTPUT_NAMES = ("q_pair", "q_wait")


class SetNetworkExport(nn.Module):
    """Equal to `SetNetwork` on a batch of one situation with at least one pair, with the commit threshold built in.

    `wait_bias_min` (minutes-equivalent) is added to Q(wait): above 0 it commits later, below 0 earlier.
    """

    def __init__(self, network: SetNetwork, wait_bias_min: float) -> None:
        super().__init__()
        self.network = network
        self.wait_bias_min = wait_bias_min

    def forward(
        self,
        driver_features: Tensor,
        booking_features: Tensor,
        pair_features: Tensor,
        pair_driver: Tensor,
        pair_booking: Tensor,
        context: Tensor,
        pair_cost: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """[D,Fd], [B,Fb], [P,Fp] f32, [P], [P] i64, [Fc], [P] f32 -> q_pair [P], q_wait [1] f32, minutes-equivalent."""
        q_pair, q_wait = self.network.values(
            driver_features,
            booking_features,
            pair_features,
            pair_driver,
            pair_booking,
            context.unsqueeze(0),
            pair_cost,
            SinglePooling(),
        )
        return q_pair, q_wait + self.wait_bias_min
