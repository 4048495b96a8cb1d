"""Where the validated view lies in the present frame: a homography, and how well it is known.

A pole that is knocked pans, tilts, rolls and hardly travels: a similarity, and a perspective row that goes with the
translation (about t / f^2, the focal length f being unknown within a factor of four). A camera that moves while its rows
are read out one after the other shears the frame a little. Both are held back by priors. Points are pixels of the
working picture, shape (n, 2), float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pose = NDArray[np.float64]
"""Shape (3, 3): takes a point of the reference to the present frame; the last element is 1."""

Corner = tuple[float, float]

HOME: Pose = np.eye(3)

MEASUREMENT_SIGMA_PX = 0.6
_PERSPECTIVE_PER_SHIFT = -0.3
_PERSPECTIVE_SPREAD = 0.35
_PERSPECTIVE_FLOOR = 0.004
_SHEAR_SPREAD = 0.006
"""Per row, in the units of the fit: one pixel of the working picture from its middle to its lower edge."""


def move(pose: Pose, points: Points) -> Points:
    """The points as the pose sees them."""
    lifted = points @ pose[:, :2].T + pose[:, 2]
    return np.asarray(lifted[:, :2] / lifted[:, 2:], np.float64)


def furthest_px(a: Points, b: Points) -> float:
    """The largest distance between points of the same index."""
    apart = a - b
    return float(np.sqrt(np.einsum("ij,ij->i", apart, apart).max()))


@dataclass(frozen=True)
class WorkingSize:
    """Size of the working picture, and the units the fit computes in: half a width, from the middle."""

    width: int
    height: int

    @cached_property
    def centre(self) -> Points:
        return np.array([(self.width - 1) / 2, (self.height - 1) / 2])

    @property
    def unit_px(self) -> float:
        return self.width / 2

    @cached_property
    def to_unit(self) -> Pose:
        """From pixels to the units of the fit."""
        unit, (x, y) = self.unit_px, self.centre
        return np.array([[1 / unit, 0, -x / unit], [0, 1 / unit, -y / unit], [0, 0, 1.0]])

    @cached_property
    def from_unit(self) -> Pose:
        """From the units of the fit to pixels."""
        unit, (x, y) = self.unit_px, self.centre
        return np.array([[unit, 0, x], [0, unit, y], [0, 0, 1.0]])

    @cached_property
    def corners(self) -> Points:
        """The outline of the frame: half a pixel outside of the outermost pixel centres."""
        right, bottom = self.width - 0.5, self.height - 0.5
        return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])

    def from_fractions(self, points: Points) -> Points:
        """Fractions of the frame to pixels."""
        return np.asarray(points, np.float64) * (self.width, self.height) - 0.5

    def to_fractions(self, points: Points) -> Points:
        """Pixels to fractions of the frame."""
        return np.asarray((points + 0.5) / (self.width, self.height), np.float64)

    def shift_px(self, pose: Pose, other: Pose = HOME) -> float:
        """How far two poses put the corner they disagree on most."""
        return math.sqrt(apart(self.corners_at(pose), self.corners_at(other)))

    def corners_at(self, pose: Pose) -> list[Corner]:
        """The outline as the pose sees it.

        In plain numbers: it is asked some five times a frame, and arrays of four take three times as long.
        """
        (a, b, c), (d, e, f), (g, h, i) = pose.tolist()
        out = []
        for x, y in self._outline:
            z = g * x + h * y + i
            out.append(((a * x + b * y + c) / z, (d * x + e * y + f) / z))
        return out

    @cached_property
    def _outline(self) -> list[Corner]:
        return [(x, y) for x, y in self.corners.tolist()]


def apart(some: list[Corner], others: list[Corner]) -> float:
    """The square of the largest distance between corners of two outlines."""
    worst = 0.0
    for (x, y), (u, v) in zip(some, others, strict=True):
        square = (x - u) * (x - u) + (y - v) * (y - v)
        worst = max(square, worst)
    return worst


class PoseFit(Struct, frozen=True):
    """A pose and the covariance of its eight parameters (in the frame's units)."""

    pose: Pose
    parameters: NDArray[np.float64]
    covariance: NDArray[np.float64]
    frame: WorkingSize

    def sigma_px(self, points: Points) -> NDArray[np.float64]:
        """Standard deviation, along both axes together, of where the pose puts each of the points (of the reference)."""
        jacobian, _ = _linearise((points - self.frame.centre) / self.frame.unit_px, self.parameters)
        variance = (jacobian * (self.covariance @ jacobian)).sum(axis=0).reshape(2, -1).sum(axis=0)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)) * self.frame.unit_px, np.float64)


def panned(frame: WorkingSize, pose: Pose, across_px: float, down_px: float) -> Pose:
    """A pose after the camera turned so that the middle of the frame moved by so much: with the usual perspective."""
    x, y = across_px / frame.unit_px, down_px / frame.unit_px
    turn = np.array([[1.0, 0.0, x], [0.0, 1.0, y], [_PERSPECTIVE_PER_SHIFT * x, _PERSPECTIVE_PER_SHIFT * y, 1.0]])
    after = frame.from_unit @ turn @ frame.to_unit @ pose
    return np.asarray(after / after[2, 2], np.float64)


def fit_pose(
    frame: WorkingSize, reference: Points, seen: Points, start: Pose, rounds: int = 2, worth: NDArray[np.float64] | None = None
) -> PoseFit:
    """The pose that takes `reference` to `seen` best, outliers weighing little (Cauchy), from a start within a few pixels.

    `worth`: how much each point counts, any scale; all the same if not given.
    """
    centre, unit = frame.centre, frame.unit_px
    a, b = (reference - centre) / unit, (seen - centre) / unit
    h = frame.to_unit @ start @ frame.from_unit
    h = h / h[2, 2]
    theta = np.array([0.0, 0.0, h[0, 2], h[1, 2], h[2, 0], h[2, 1], h[0, 1] + h[1, 0], h[1, 1] - h[0, 0]])
    theta[[0, 1]] = h[0, 0], h[1, 0]
    sigma = MEASUREMENT_SIGMA_PX / unit
    covariance = np.eye(8)
    weighs = 1.0 if worth is None else worth * (len(worth) / float(worth.sum()))
    for _ in range(rounds):
        jacobian, there = _linearise(a, theta)
        error = b.T - there
        weight = weighs / (sigma**2 + error[0] ** 2 + error[1] ** 2)  # Cauchy: 1/s^2 in the middle, fading with the square
        weighted = jacobian * np.concatenate([weight, weight])
        normal = weighted @ jacobian.T
        slope = weighted @ error.ravel()
        shift = theta[2:4]
        precision = 1 / (_PERSPECTIVE_SPREAD * np.abs(shift) + _PERSPECTIVE_FLOOR) ** 2
        slope[4:6] += (_PERSPECTIVE_PER_SHIFT * shift - theta[4:6]) * precision
        slope[6:] -= theta[6:] / _SHEAR_SPREAD**2
        diagonal = normal.reshape(-1)[::9]
        diagonal += 1e-9
        diagonal[4:6] += precision
        diagonal[6:] += 1 / _SHEAR_SPREAD**2
        covariance = inverse(normal)
        theta = theta + covariance @ slope
    h = np.array(
        [[theta[0], theta[6] - theta[1], theta[2]], [theta[1], theta[0] + theta[7], theta[3]], [theta[4], theta[5], 1.0]]
    )
    pose = frame.from_unit @ h @ frame.to_unit
    return PoseFit(pose / pose[2, 2], theta, covariance, frame)


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a small square matrix. OpenCV's, which touches no LAPACK: numpy's keeps 2 MB of it resident for an 8 x 8.

    Raises LinAlgError when there is none: a zero in its place would pass for certainty.
    """
    found, inverted = cv2.invert(matrix)
    if not found:
        raise np.linalg.LinAlgError("a matrix of the pose has no inverse")
    return np.asarray(inverted, np.float64)


def _linearise(a: Points, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Derivatives (8, 2n) of the seen x, then y, by the eight parameters, and the seen x and y themselves (2, n)."""
    count = len(a)
    x, y = a[:, 0], a[:, 1]
    depth = 1 / (theta[4] * x + theta[5] * y + 1)
    seen = np.empty((2, count))
    np.multiply(theta[0] * x + (theta[6] - theta[1]) * y + theta[2], depth, out=seen[0])
    np.multiply(theta[1] * x + (theta[0] + theta[7]) * y + theta[3], depth, out=seen[1])
    jacobian = np.zeros((8, 2, count))
    dx, dy = x * depth, y * depth
    jacobian[0, 0], jacobian[0, 1] = dx, dy
    jacobian[1, 0], jacobian[1, 1] = -dy, dx
    jacobian[2, 0] = jacobian[3, 1] = depth
    np.multiply(seen, -dx, out=jacobian[4])
    np.multiply(seen, -dy, out=jacobian[5])
    jacobian[6, 0] = jacobian[7, 1] = dy
    return jacobian.reshape(8, -1), seen
