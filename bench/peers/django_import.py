"""The admin's import of django-import-export as a peer in `import_peers.py`: upload, preview, confirmation.

    bench/peers/.venv/bin/python bench/peers/django_import.py FILE.xlsx FOLDER

Set up as in its manual, on SQLite with WAL, in the environment that `make bench-peers` installs.  Customer and contact are one plain
table; rows are found by their name.  There are no dictionaries, rights, proofs, duplicate rules or search.  Prints JSON: seconds of
preview and confirmation, and the number of records.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

FILE, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
APPS = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "peer.db"}},
    INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS] + ["import_export"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="static/",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    FILE_UPLOAD_MAX_MEMORY_SIZE=50 << 20,
    DATA_UPLOAD_MAX_MEMORY_SIZE=50 << 20,
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402
from import_export import fields, resources  # noqa: E402
from import_export.admin import ImportExportModelAdmin  # noqa: E402
from import_export.formats.base_formats import XLSX  # noqa: E402

HEADINGS = json.loads(sys.argv[3])
"""Heading of the sheet -> column."""


class Customer(models.Model):
    """One plain table of twelve columns, as long as those of Millpond."""

    for _column in HEADINGS.values():
        locals()[_column] = models.CharField(max_length=400, blank=True, null=True, db_index=_column == "name")

    class Meta:
        app_label = "auth"


class CustomerResource(resources.ModelResource):
    """The columns under the headings of the sheet."""

    for _heading, _column in HEADINGS.items():
        locals()[_column] = fields.Field(attribute=_column, column_name=_heading)

    class Meta:
        model = Customer
        import_id_fields = ("name",)
        fields = (*HEADINGS.values(),)


@admin.register(Customer)
class CustomerAdmin(ImportExportModelAdmin):
    """The admin page with the button Import."""

    resource_classes = (CustomerResource,)
    formats = (XLSX,)


urlpatterns = [path("admin/", admin.site.urls)]


def main() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
    with connection.schema_editor() as editor:
        editor.create_model(Customer)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bench"))
    began = time.perf_counter()
    upload = SimpleUploadedFile(FILE.name, FILE.read_bytes())
    preview = client.post("/admin/auth/customer/import/", {"format": "0", "resource": "0", "import_file": upload})
    previewed = time.perf_counter()
    answer = client.post("/admin/auth/customer/process_import/", hidden(preview.content.decode()))
    confirmed = time.perf_counter()
    if answer.status_code != 302:
        raise SystemExit(f"the import was not confirmed: {answer.status_code}")
    told: dict[str, Any] = {"preview": previewed - began, "confirm": confirmed - previewed}
    print(json.dumps({**{key: round(x, 2) for key, x in told.items()}, "records": Customer.objects.count()}))


def hidden(page: str) -> dict[str, str]:
    """The hidden inputs of the form that confirms."""
    inputs = re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', page)
    return {name: value for name, value in inputs if name != "csrfmiddlewaretoken"}


main()
