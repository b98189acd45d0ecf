"""What every service promises: its methods are operations of the model, its errors are the model's."""

import importlib
import inspect
import pkgutil

import pytest
from tools import coverage_page

import cumulet.services
from cumulet.base.errors import AwsError
from cumulet.wire import models
from cumulet.wire.service import Service

SERVICES = coverage_page.SERVICES

UNMODELLED = {
    # errors that AWS answers although the model does not list them, by service
    "iam": {"ValidationError"},
    "lambda": {"RequestEntityTooLargeException"},
    "sts": {"AccessDenied", "ValidationError"},
}


def modules(package):
    found = importlib.import_module(package)
    yield found
    for item in pkgutil.walk_packages(found.__path__, f"{package}."):
        yield importlib.import_module(item.name)


def errors_of(service):
    package = service.__module__.rpartition(".")[0]
    for module in modules(package):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, AwsError) and kind.__module__.startswith(package):
                yield kind


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.model)
def test_every_public_coroutine_is_an_operation(service):
    operations = {service.method_of(name) for name in models.load(service.model).operation_names}
    public = {
        name
        for name, member in inspect.getmembers(service, inspect.iscoroutinefunction)
        if not name.startswith("_") and not hasattr(Service, name)
    }
    assert public - operations == set()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.model)
def test_every_error_is_the_models_with_its_status(service):
    model = models.load(service.model)
    if service.model == "s3":
        pytest.skip("S3's model lists few of its errors: tests/services/s3 asserts codes and statuses")
    for kind in errors_of(service):
        code = kind.code or kind.__name__
        if code in UNMODELLED.get(service.model, ()):
            continue
        assert code in model.errors, f"{kind.__name__} is no error of {service.model}"
        told = model.errors[code].traits.get("error", {}).get("httpStatusCode", 400)
        assert kind.status == told, f"{kind.__name__} answers {kind.status}, the model says {told}"


def test_the_coverage_page_is_true():
    assert coverage_page.PAGE.read_text() == coverage_page.page(), "run: python tools/coverage_page.py"


def test_all_services_have_their_line():
    names = {item.name for item in pkgutil.iter_modules(cumulet.services.__path__)}
    assert names == {service.__module__.split(".")[2] for service in SERVICES}
