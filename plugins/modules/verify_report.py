# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Report on all stamps
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Makes a table of the checks of all stamps, and writes C(report.html), C(report.json), C(report.xml) (JUnit) and C(report.md), in check mode too.
  - C(report.html) is one page for a browser or for paper. It loads nothing and runs no program. It shows what failed with the remedies, what has
    changed since the C(report.json) that the folder holds already, what is not as declared, the addresses, and the path of each family.
  - With O(reports_from), merges the reports of several runs. Where two of them differ about a stamp, the newer counts; of two of the same time
    the one that fails.
options:
  results:
    description: Each stamp with RV(dualstack.aks.verify_stamp#module:checks).
    type: dict
  reports_from:
    description: Folders; every C(report.json) in and below them is read, except the one in O(folder).
    type: list
    elements: path
  stamps:
    description: The stamps that O(reports_from) is to have. One that is in none has failed.
    type: list
    elements: str
    default: []
  details:
    description: Each stamp with RV(dualstack.aks.verify_stamp#module:details). Those of O(reports_from) are in the reports.
    type: dict
    default: {}
  address_register:
    description: The address register. It has the addresses of stamps that could not be read.
    type: dict
    default: {}
  folder:
    description: Folder that the files are written to; it is created.
    type: path
attributes:
  check_mode:
    description: Writes the reports in check mode too.
    support: none
  diff_mode:
    description: Shows no differences.
    support: none
"""

EXAMPLES = r"""
- name: Report on a stamp
  dualstack.aks.verify_report:
    results:
      westeurope:
        - {check: entrance, family: ipv6, result: pass, evidence: "2001:db8:f::10 from probe: 200 in less than 1 s", remedy: ""}
  register: verify_report

- name: Show the table
  ansible.builtin.debug:
    msg: "{{ verify_report.table | split('\n') }}"
"""

RETURN = r"""
table:
  description: A table below 100 columns, the families side by side.
  returned: always
  type: str
stamps:
  description: All stamps of the report.
  returned: always
  type: list
  elements: str
failed_stamps:
  description: Stamps with a failed check.
  returned: always
  type: list
  elements: str
missing_stamps:
  description: Those of O(stamps) that no report has.
  returned: always
  type: list
  elements: str
notes:
  description: How contradictions between reports were decided, and why changes since the last report are not shown.
  returned: always
  type: list
  elements: str
time:
  description: When the results were had, in ISO 8601; that of the newest report.
  returned: always
  type: str
"""
