import { assertEquals, assertThrows } from "@std/assert";
import { releaseNotes } from "../../tools/release_notes.ts";

const CHANGELOG = `# Changelog

The form is that of Keep a Changelog.

## [Unreleased]

### Added

- Not yet.

## [1.2.3] - 2026-11-24

### Fixed

- What was wrong ([#7]).

## [1.2.0] - 2026-10-01

## [1.1.0] - 2026-09-01

### Added

- The first.

[1.2.3]: https://example.com/compare/v1.2.0...v1.2.3
[#7]: https://example.com/7
`;

Deno.test("the notes of a release are its section of the changelog, without the heading", () => {
  assertEquals(releaseNotes("v1.2.3", "1.2.3", CHANGELOG), "### Fixed\n\n- What was wrong ([#7]).");
});

Deno.test("the notes of the oldest version end before the definitions of links", () => {
  assertEquals(releaseNotes("v1.1.0", "1.1.0", CHANGELOG), "### Added\n\n- The first.");
});

for (
  const [what, tag, version, says] of [
    ["names another version than deno.json", "v1.2.3", "1.2.4", "The tag is 'v1.2.3'"],
    ["has no v", "1.2.3", "1.2.3", "The tag is '1.2.3'"],
    ["names a version that the changelog lacks", "v1.3.0", "1.3.0", "has no section '## [1.3.0]'"],
    ["names the beginning of a version", "v1.2", "1.2", "has no section '## [1.2]'"],
    ["names a version that the changelog says nothing of", "v1.2.0", "1.2.0", "says nothing under"],
  ] as const
) {
  Deno.test(`there are no notes where the tag ${what}`, () => {
    assertThrows(() => releaseNotes(tag, version, CHANGELOG), Error, says);
  });
}
