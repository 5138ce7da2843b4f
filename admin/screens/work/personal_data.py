"""The way to the file with everything that is held of one person."""

from starlette.responses import RedirectResponse, Response

from ...kit.panel_request import PanelRequest


def to_personal_data(ask: PanelRequest, id: str) -> Response:
    """Let the browser fetch the file of the person with this id."""
    address = f"/files/personal/{id}"
    if ask.is_partial:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
