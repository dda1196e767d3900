"""Dealing: every piece is held out once, and what is alike is held out together."""

import numpy as np
from evaluation_music import found, tune

from partimento.data import Piece
from partimento.data.folds import deal


def pieces_of(scores):
    return found(valid=[], train=scores).pieces


def test_every_piece_is_in_one_fold_and_folds_are_alike_in_size():
    pieces = pieces_of([tune(8, seed) for seed in range(20)])
    folds = deal(pieces, 4)
    assert sorted(piece.name for fold in folds for piece in fold) == sorted(p.name for p in pieces)
    assert [len(fold) for fold in folds] == [5] * 4


def test_copies_in_another_key_and_melodies_of_one_file_stay_together():
    tunes = [tune(8, seed) for seed in range(8)]
    pieces = pieces_of([*tunes, tunes[0].transpose(3)])
    pieces += [Piece(f"medley.mid#1.{i}", "here", "train", tune(8, 50 + i)) for i in range(2)]
    folds = deal(pieces, 4)
    at = {piece.name: index for index, fold in enumerate(folds) for piece in fold}
    assert at["train-0"] == at["train-8"]
    assert at["medley.mid#1.0"] == at["medley.mid#1.1"]


def test_fewer_tunes_than_folds_give_fewer_folds():
    assert [len(fold) for fold in deal(pieces_of([tune(8, 0), tune(8, 1)]), 4)] == [1, 1]
    assert deal([], 4) == []


def test_dealing_is_the_same_every_time():
    pieces = pieces_of([tune(int(bars), 3 * i) for i, bars in enumerate(np.arange(4, 20))])
    names = [[piece.name for piece in fold] for fold in deal(pieces)]
    assert names == [[piece.name for piece in fold] for fold in deal(pieces)]
