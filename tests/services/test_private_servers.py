import subprocess

from tests.services.conftest import find_program


def test_broker_answers_its_own_clients(mosquitto):
    port = str(mosquitto.port)
    listening = subprocess.Popen(
        [find_program("mosquitto_sub"), "-p", port, "-t", "hello", "-C", "1", "-W", "20"],
        stdout=subprocess.PIPE,
        text=True,
    )
    publish = [find_program("mosquitto_pub"), "-p", port, "-t", "hello", "-m", "there", "-r"]
    subprocess.run(publish, check=True)
    assert listening.communicate(timeout=30)[0].strip() == "there"


def test_database_answers_a_query(postgres_url):
    psql = [find_program("psql"), postgres_url, "-At", "-c", "select 40 + 2"]
    assert subprocess.run(psql, check=True, capture_output=True, text=True).stdout.strip() == "42"
