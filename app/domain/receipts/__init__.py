"""Receipts: a stand-in for optical character recognition that reads what is written in the file's own structure.

It does not recognise letters in pixels. It checks the file from end to end, takes the text that PNG, JPEG and PDF can
carry beside the picture, and costs what recognition costs: a processor, for a moment.
"""

from app.domain.receipts.draft import Draft, as_printed, draft
from app.domain.receipts.files import FileKind, UnreadableError, kind_of, text_of
from app.domain.receipts.recognition import recognise

__all__ = ["Draft", "FileKind", "UnreadableError", "as_printed", "draft", "kind_of", "recognise", "text_of"]
