"""What the pytest tiers share. SPDX-License-Identifier: MIT"""
