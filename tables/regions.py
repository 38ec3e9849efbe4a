"""What are Azure's public regions called?

Source: https://learn.microsoft.com/azure/reliability/regions-list
"""

REGIONS = {
    "".join(name.lower().split()): name
    for name in """
    Australia Central, Australia Central 2, Australia East, Australia Southeast, Austria East, Belgium Central,
    Brazil South, Brazil Southeast, Canada Central, Canada East, Central India, Central US, Chile Central, Denmark East,
    East Asia, East US, East US 2, France Central, France South, Germany North, Germany West Central, Indonesia Central,
    Israel Central, Italy North, Japan East, Japan West, Jio India Central, Jio India West, Korea Central, Korea South,
    Malaysia West, Mexico Central, New Zealand North, North Central US, North Europe, Norway East, Norway West,
    Poland Central, Qatar Central, South Africa North, South Africa West, South Central US, South India, Southeast Asia,
    Spain Central, Sweden Central, Sweden South, Switzerland North, Switzerland West, Taiwan North, UAE Central,
    UAE North, UK South, UK West, West Central US, West Europe, West India, West US, West US 2, West US 3, Global
    """.replace("\n", " ").split(",")
    for name in [" ".join(name.split())]
}
"""Azure's name of a region as it is shown, by the one that resources have: West Europe by westeurope."""
