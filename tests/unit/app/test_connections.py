import pytest

from gigatwin.app.connections import open_face, open_source
from gigatwin.app.plants import misbehaviour_of
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Face, Source


@pytest.mark.parametrize("url", ["", "http://plant", "plant.csv", "opc.tcp"])
def test_an_address_of_no_interface_is_named_with_those_there_are(url):
    with pytest.raises(ConnectorError, match=r"must be one of opc\.tcp://, mqtt://"):
        open_source(url)


def test_a_file_is_no_face():
    with pytest.raises(ConnectorError, match="Files are read only"):
        open_face("file:///log.csv")


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:1883/a:b:c/line", "mqtt://broker?scheme=uns"])
def test_an_address_gives_its_connector_without_connecting(url):
    assert isinstance(open_source(url), Source)
    assert isinstance(open_face(url), Face)


def test_faults_are_read_as_shares():
    bad = misbehaviour_of("lost=1%, disordered=0.02", seed=3)
    assert (bad.lost, bad.disordered, bad.late, bad.seed) == (0.01, 0.02, 0.0, 3)
    assert misbehaviour_of("", seed=1) is None


@pytest.mark.parametrize("text", ["lost", "lost=x", "lost=120%", "stolen=1%", "lost=-1%"])
def test_faults_that_cannot_be_read_are_named(text):
    with pytest.raises(ConnectorError, match=r"must be one of lost, late, duplicated, disordered"):
        misbehaviour_of(text, seed=1)
