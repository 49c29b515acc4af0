#!/usr/bin/env python3
"""What readers that are not ours see in a hive or an event log, as JSON on stdout.

usage: foreign_readers.py available READER...
       foreign_readers.py hivex HIVE
       foreign_readers.py regipy HIVE
       foreign_readers.py regipy-replay HIVE LOG1 [LOG2]
       foreign_readers.py evtxexport LOG
       foreign_readers.py python-evtx LOG

A hive becomes {path: {"last_write", "class", "values": {name: [type, data]}}}: data is a number
for REG_DWORD and REG_QWORD, a string for REG_SZ, REG_EXPAND_SZ and REG_LINK, a list for
REG_MULTI_SZ, hexadecimal for the rest; the last write is in seconds since 1970. A log becomes
[{"system": {...}, "fields": [[name, text], ...]}], a field for each leaf of EventData or UserData.
"""

import base64
import calendar
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

DWORD, MULTI_SZ, QWORD = 4, 7, 11
STRINGS = (1, 2, 6)

HIVEX_TYPES = {
    "none": 0, "string": 1, "expand": 2, "binary": 3, "int32": 4, "link": 6,
    "string-list": 7, "resource-list": 8, "resource-description": 9,
    "resource-requirements": 10, "int64": 11,
}
REGIPY_TYPES = {
    "REG_NONE": 0, "REG_SZ": 1, "REG_EXPAND_SZ": 2, "REG_EXPAND": 2, "REG_BINARY": 3,
    "REG_DWORD": 4, "REG_LINK": 6, "REG_MULTI_SZ": 7, "REG_RESOURCE_LIST": 8,
    "REG_RESOURCE_REQUIREMENTS_LIST": 10, "REG_QWORD": 11,
}


def available(readers):
    tools = {"hivex": "hivexml", "evtxexport": "evtxexport"}
    modules = {"regipy": "regipy", "regipy-replay": "regipy", "python-evtx": "Evtx"}
    missing = [
        reader for reader in readers
        if (reader in tools and not shutil.which(tools[reader]))
        or (reader in modules and not importlib.util.find_spec(modules[reader]))
    ]
    return {"missing": missing}


# --- hives -----------------------------------------------------------------------------------

def hivex(path):
    xml = subprocess.run(["hivexml", path], check=True, capture_output=True).stdout
    keys = {}
    hivex_key(ElementTree.fromstring(xml).find("node"), "", keys)
    return keys


def hivex_key(node, path, keys):
    last_write = time.strptime(node.findtext("mtime"), "%Y-%m-%dT%H:%M:%SZ")
    keys[path] = {
        "last_write": calendar.timegm(last_write),
        "values": {value.get("key") or "": hivex_value(value) for value in node.findall("value")},
    }
    for child in node.findall("node"):
        hivex_key(child, f"{path}\\{child.get('name')}", keys)


def hivex_value(value):
    """hivexml calls every type above REG_QWORD unknown, and a big-endian number int32."""
    kind, data = HIVEX_TYPES.get(value.get("type"), "other"), value.get("value") or ""
    if kind in (DWORD, QWORD):
        return [kind, int(data) % (1 << (32 if kind == DWORD else 64))]
    if kind == MULTI_SZ:
        # The NUL that ends the list is one more, empty, string to it.
        return [kind, [string.text or "" for string in value.findall("string")][:-1]]
    if value.get("encoding") == "base64":
        data = base64.b64decode(data).hex()
    return [kind, data]


def regipy(path):
    from regipy.registry import RegistryHive
    keys = {}
    regipy_key(RegistryHive(path).root, "", keys)
    return keys


def regipy_replay(path, log1, log2=None):
    from regipy.recovery import apply_transaction_logs
    with tempfile.TemporaryDirectory() as folder:
        restored, pages = apply_transaction_logs(
            path, log1, log2, restored_hive_path=f"{folder}/restored")
        return {"pages": pages, "keys": regipy(restored)}


def regipy_key(key, path, keys):
    keys[path] = {
        "last_write": key.header.last_modified // 10_000_000 - 11_644_473_600,
        "class": key.get_class_name() if key.header.class_name_size else None,
        "values": {
            "" if value.name == "(default)" else value.name: regipy_value(value)
            for value in key.iter_values(trim_values=False)
        },
    }
    for child in key.iter_subkeys() or ():
        regipy_key(child, f"{path}\\{child.name}", keys)


def regipy_value(value):
    """regipy guesses at the data of types it does not know: that is left out."""
    kind, data = REGIPY_TYPES.get(value.value_type, "other"), value.value
    if kind == "other":
        return [kind, None]
    if isinstance(data, bytes):
        data = data.hex()
    if kind in STRINGS:
        data = data.rstrip("\0")
    return [kind, data]


# --- event logs ------------------------------------------------------------------------------

def evtxexport(path):
    run = subprocess.run(["evtxexport", "-f", "xml", path], check=True, capture_output=True)
    text = run.stdout.decode("utf-8", "replace")
    return [event(ElementTree.fromstring(xml)) for xml in documents(text)]


def documents(text):
    """The <Event> documents in evtxexport's output."""
    start = text.find("<Event ")
    while start >= 0:
        end = text.index("</Event>", start) + len("</Event>")
        yield text[start:end]
        start = text.find("<Event ", end)


def python_evtx(path):
    from Evtx.Evtx import Evtx
    with Evtx(path) as log:
        return [event(ElementTree.fromstring(record.xml())) for record in log.records()]


def local(tag):
    return tag.rsplit("}", 1)[-1]


def moment(text):
    """A time as both readers write it, to the millisecond."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)?", text)
    if not match:
        return text
    day, clock, fraction, _ = match.groups()
    return f"{day}T{clock}.{(fraction or '.')[1:4]:0<3}Z"


def event(root):
    """Attributes that are there and empty, as python-evtx has them, are left out."""
    system, fields = {}, []
    for part in root:
        if local(part.tag) == "System":
            for element in part:
                name = local(element.tag)
                if element.text and element.text.strip():
                    system[name] = element.text
                for attribute, text in element.attrib.items():
                    if text:
                        system[f"{name}.{attribute}"] = moment(text)
        else:
            leaves(part, local(part.tag), fields)
    return {"system": system, "fields": fields}


def leaves(element, path, fields):
    for child in element:
        name = f"{path}.{local(child.tag)}"
        if "Name" in child.attrib:
            name += f"[{child.get('Name')}]"
        if len(child):
            leaves(child, name, fields)
        else:
            fields.append([name, moment(child.text or "")])


COMMANDS = {
    "hivex": hivex,
    "regipy": regipy,
    "regipy-replay": regipy_replay,
    "evtxexport": evtxexport,
    "python-evtx": python_evtx,
}


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "available":
        result = available(arguments)
    else:
        result = COMMANDS[command](*arguments)
    json.dump(result, sys.stdout)


main()
