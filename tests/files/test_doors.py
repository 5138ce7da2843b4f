"""Files of records through API and panel: the same use cases, the same refusals."""

from models import Attachment, Contact
from resolvers.runtime.ids import global_id
from tests.support.merging import contact
from tests.support.panel import Panel
from tests.support.programs import Program
from tests.support.world import World

PDF = b"%PDF-1.7\n1 0 obj"
LISTED = "query Q($record: ID!) { attachments(record: $record) { id media picture addedBy address } }"
FORM = "multipart/form-data; boundary=x"


def test_a_program_adds_lists_removes_and_brings_back(kept: World) -> None:
    customer, li = f"cus_{kept.customer()}", Program(kept, "li")
    upload = li.upload("合同.pdf", PDF)
    added = li.change(
        "addFiles", "AddFilesInput", "files { id name size } problems { code }", record=customer, uploads=[upload]
    )
    (file,) = added["files"]
    assert (file["name"], file["size"], added["problems"]) == ("合同.pdf", len(PDF), [])
    listed = li.ask(LISTED, record=customer)["attachments"]
    assert listed == [
        {
            "id": file["id"],
            "media": "application/pdf",
            "picture": None,
            "addedBy": "Li Na",
            "address": f"/files/{file['id']}",
        }
    ]
    assert Program(kept, "mei").ask(LISTED, record=customer) == {"attachments": []}
    assert li.change("removeFiles", "FilesInput", "problems { code }", ids=[file["id"]]) == {"problems": []}
    assert li.change("removeFiles", "FilesInput", "problems { code }", ids=[file["id"]])["problems"] == [
        {"code": "NOT_FOUND"}
    ]
    assert li.change("removeFiles", "FilesInput", "problems { code }", ids=[])["problems"] == [{"code": "NOT_FOUND"}]
    assert li.change("restoreFiles", "FilesInput", "problems { code }", ids=[file["id"]]) == {"problems": []}


def form(name: str, content: bytes) -> bytes:
    head = f'--x\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


def test_a_page_takes_a_file_says_why_not_and_removes(kept: World) -> None:
    person = contact(kept, kept.customer(), "Ann")
    here, li = f"/admin/contact/files/{global_id(Contact, person)}", Panel(kept).of("li")
    assert li.post_raw(here, form("a.pdf", PDF), FORM).status_code == 303
    refused = li.post_raw(here, form("b.pdf", b"MZ\x90"), FORM)
    assert (refused.status_code, "“b.pdf” cannot be kept" in refused.text) == (422, True)
    (row,) = kept.rows(Attachment)
    page = li.get(f"/admin/contact/details/{global_id(Contact, person)}?tab=files").text
    assert f"/files/att_{row['id']}" in page
    for _ in range(2):  # a second press does nothing twice
        assert li.post(f"{here}/remove", {"file": f"att_{row['id']}"}).status_code == 303
    assert kept.row(Attachment, row["id"])["removed_at"] is not None
    assert li.post(f"{here}/restore", {"file": f"att_{row['id']}"}).status_code == 303
    assert kept.row(Attachment, row["id"])["removed_at"] is None


def test_a_program_exports_and_erases_personal_data(kept: World) -> None:
    person = f"con_{contact(kept, kept.customer(), 'Quentin Quaver', '138 0013 8000')}"
    ada, li = Program(kept, "ada"), Program(kept, "li")
    found = ada.change("exportPersonalData", "PersonalDataInput", "data problems { code }", id=person)
    assert found["data"]["phonesAndAddresses"][0]["value"] == "138 0013 8000"
    forbidden = li.change(
        "erasePersonalData", "ErasePersonalDataInput", "entries problems { code }", id=person, confirm=True
    )
    assert forbidden == {"entries": None, "problems": [{"code": "FORBIDDEN"}]}
    done = ada.change(
        "erasePersonalData", "ErasePersonalDataInput", "entries problems { code }", id=person, confirm=True
    )
    assert (done["entries"] > 0, done["problems"]) == (True, [])
    assert ada.ask("{ sensitiveReads { record } }") == {"sensitiveReads": []}
