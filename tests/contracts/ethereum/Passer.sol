// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// Passes ether on within a call, or takes it with more gas than a plain account needs.
contract Passer {
    uint256 public count;

    receive() external payable {
        count += 1;
    }

    function pass(address payable to) external payable {
        to.transfer(msg.value);
    }

    /// Pays within a call that then fails; the transaction itself succeeds.
    function passThenFail(address payable to) external payable {
        try this.passAndRevert{value: msg.value}(to) {} catch {}
    }

    function passAndRevert(address payable to) external payable {
        to.transfer(msg.value);
        revert("taken back");
    }
}
