"""Stands in for actions/upload-artifact in workflows under act: packs a folder into the folder that act's artifact server
keeps, and says id and digest as the real one does. The id is the 32 bits of FNV-1a over the name, as act has it.
"""

import hashlib
import io
import os
import pathlib
import zipfile


def main() -> None:
    name, path = os.environ["UPLOAD_NAME"], pathlib.Path(os.environ["UPLOAD_PATH"])
    files = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else []
    if not files:
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(path).as_posix())
    folder = pathlib.Path(os.environ["FAKE_ARTIFACTS"]) / "1" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.zip").write_bytes(packed.getvalue())
    number = 0x811C9DC5
    for byte in name.encode():
        number = ((number ^ byte) * 0x01000193) & 0xFFFFFFFF
    with open(os.environ["GITHUB_OUTPUT"], "a") as output:
        print(f"artifact-id={number}", file=output)
        print(f"artifact-digest={hashlib.sha256(packed.getvalue()).hexdigest()}", file=output)


main()
