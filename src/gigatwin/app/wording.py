"""What things are called in a report."""

_KPI = {
    "throughput_rate": "Output",
    "yield_ratio": "Yield",
    "lead_time_mean": "Mean lead time",
    "items_in_process": "Items in process",
    "electricity_per_product": "Electricity per product",
    "heat_per_product": "Heat per product",
    "energy_per_cell_energy": "Energy per product energy",
    "oee_index": "Line OEE index",
}


def kpi_name(kpi: str) -> str:
    """Return what a total is called; one without a name of its own, its own words.

    Examples
    --------
    >>> kpi_name("throughput_rate"), kpi_name("carbon_per_product")
    ('Output', 'Carbon per product')
    """
    return _KPI.get(kpi, kpi.replace("_", " ").capitalize())
